-- What is known of the switch of a table ($1, $2).
SELECT s.proved IS NOT NULL,
       CASE WHEN c.oid IS NOT NULL THEN pg_catalog.concat('shardferry.', pg_catalog.quote_ident(s.old_shard)) END,
       s.old_shard IS NOT NULL AND c.oid IS NULL
FROM shardferry.switch s
LEFT JOIN pg_catalog.pg_class c ON c.relname = s.old_shard AND c.relnamespace = pg_catalog.to_regnamespace('shardferry')
WHERE s.table_schema = $1 AND s.table_name = $2
