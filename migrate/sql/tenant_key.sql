-- The foreign key of a table ($1) by its tenant column ($2) alone to the tenant table ($3): its name, and whether
-- it is validated; no row without one.
SELECT pg_catalog.quote_ident(f.conname), f.convalidated
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attname = $2::text
WHERE f.contype = 'f' AND f.conrelid = $1::oid AND f.confrelid = $3::oid AND f.conkey = ARRAY[a.attnum]
ORDER BY f.convalidated DESC, f.oid
LIMIT 1
