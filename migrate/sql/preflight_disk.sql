-- What the migration adds, in bytes, by tablespace: a second version of each row that the backfill fills, as much of the
-- table's indexes again, and the indexes of the new keys. Parameters as in preflight_tables. With it the
-- tablespace's directory, and whether this role may look at when that was changed.
WITH size AS (
    SELECT coalesce(nullif(c.reltablespace, 0), d.dattablespace) AS space,
           CASE WHEN t.kind = 'backfill' AND a.attnotnull IS NOT TRUE
                THEN pg_catalog.pg_relation_size(c.oid) + pg_catalog.pg_indexes_size(c.oid) ELSE 0 END
           + coalesce((SELECT pg_catalog.sum(pg_catalog.pg_relation_size(x.indexrelid) * CASE WHEN x.indisprimary THEN 2 ELSE 1 END)
                       FROM pg_catalog.pg_index x
                       WHERE x.indrelid = c.oid AND x.indisunique AND (a.attnum = ANY (x.indkey::int2[])) IS NOT TRUE), 0) AS bytes
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped
    WHERE t.kind <> 'reference'
), space AS (
    SELECT s.spcname, pg_catalog.sum(size.bytes)::int8 AS bytes,
           coalesce(nullif(pg_catalog.pg_tablespace_location(s.oid), ''),
                    (SELECT g.setting FROM pg_catalog.pg_settings g WHERE g.name = 'data_directory')) AS directory
    FROM size JOIN pg_catalog.pg_tablespace s ON s.oid = size.space
    GROUP BY s.oid, s.spcname
)
SELECT pg_catalog.quote_ident(s.spcname), s.bytes, s.directory,
       pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text)', 'EXECUTE')
FROM space s WHERE s.bytes > 0
