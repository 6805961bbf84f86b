-- The totals of a table ($1, $2).
SELECT b.row_count IS NOT NULL,
       a.row_count IS NOT NULL,
       coalesce(b.row_count = a.row_count AND b.checksum = a.checksum, false),
       coalesce(a.row_count, b.row_count, 0),
       (SELECT pg_catalog.count(*) FROM shardferry.checksum t
        WHERE t.table_schema = $1 AND t.table_name = $2 AND t.phase = 'after' AND t.tenant IS NOT NULL),
       coalesce(a.checksum, b.checksum, 0),
       a.verified IS NOT NULL
FROM (SELECT) AS one
LEFT JOIN shardferry.checksum b ON b.table_schema = $1 AND b.table_name = $2 AND b.phase = 'before' AND b.tenant IS NULL
LEFT JOIN shardferry.checksum a ON a.table_schema = $1 AND a.table_name = $2 AND a.phase = 'after' AND a.tenant IS NULL
