-- Whether a column ($2) of a table ($1) is NOT NULL.
SELECT a.attnotnull FROM pg_catalog.pg_attribute a
WHERE a.attrelid = $1::oid AND a.attname = $2::text AND NOT a.attisdropped
