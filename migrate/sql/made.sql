-- The names of what the migration has made in a table ($1, $2) of a kind ($3).
SELECT m.name FROM shardferry.made m
WHERE m.table_schema = $1::text AND m.table_name = $2::text AND m.kind = $3::text
ORDER BY m.name
