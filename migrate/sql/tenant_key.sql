-- The foreign key of a table ($1) by its tenant column ($2) alone to the tenant table ($3): its name, whether it is there,
-- and validated. Where it is not, the name that it will have: PostgreSQL's own, as far as it may be that long and is free.
SELECT pg_catalog.quote_ident(coalesce(f.conname, made.name)), coalesce(f.conname, made.name), f.oid IS NOT NULL, coalesce(f.convalidated, false)
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL (SELECT pg_catalog.concat(c.relname, '_', $2::text) AS base) b
CROSS JOIN LATERAL (
    SELECT CASE WHEN pg_catalog.octet_length(b.base) <= 58
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                 WHERE k.conrelid = c.oid AND k.conname = pg_catalog.concat(b.base, '_fkey'))
                THEN pg_catalog.concat(b.base, '_fkey')
                ELSE pg_catalog.concat(pg_catalog."left"(b.base, 10), '_', pg_catalog."left"(pg_catalog.md5(b.base), 12), '_fkey') END AS name
) made
LEFT JOIN LATERAL (
    SELECT k.oid, k.conname, k.convalidated
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attname = $2::text
    WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = $3::oid AND k.conkey = ARRAY[a.attnum]
    ORDER BY k.convalidated DESC, k.oid
    LIMIT 1
) f ON true
WHERE c.oid = $1::oid
