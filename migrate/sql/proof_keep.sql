-- Takes down what was compared; table (a condition), its schema and name.
DELETE FROM shardferry.checksum WHERE %s;
WITH o AS (
    SELECT tenant, pg_catalog.sum(row_count)::bigint AS n, pg_catalog.sum(checksum) AS s FROM pg_temp.shardferry_old_groups GROUP BY 1
), n AS (
    SELECT tenant, pg_catalog.sum(row_count)::bigint AS n, pg_catalog.sum(checksum) AS s FROM pg_temp.shardferry_new_groups GROUP BY 1
), rows AS (
    SELECT 'after' AS phase, n.* FROM n
    UNION ALL SELECT 'after', NULL, coalesce(pg_catalog.sum(n), 0), coalesce(pg_catalog.sum(s), 0) FROM n
    UNION ALL SELECT 'before', NULL, coalesce(pg_catalog.sum(n), 0), coalesce(pg_catalog.sum(s), 0) FROM o
    -- Of two equal sets one is enough; those that the application has changed since are kept beside each other.
    UNION ALL SELECT 'before', o.* FROM o LEFT JOIN n USING (tenant) WHERE (o.n, o.s) IS DISTINCT FROM (n.n, n.s)
)
INSERT INTO shardferry.checksum (table_schema, table_name, phase, tenant, row_count, checksum)
SELECT %s, %s, r.phase, r.tenant, r.n, r.s FROM rows AS r;
UPDATE shardferry.switch SET proved = pg_catalog.clock_timestamp() WHERE %s;
