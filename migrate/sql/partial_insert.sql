-- Roles that may insert into some columns of a table ($1) only, and not into its tenant column ($2).
SELECT r.rolname
FROM pg_catalog.pg_roles r
WHERE NOT r.rolsuper AND r.rolname !~ '^pg_'
  AND pg_catalog.has_any_column_privilege(r.oid, $1::oid, 'INSERT')
  AND NOT pg_catalog.has_table_privilege(r.oid, $1::oid, 'INSERT')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = $1::oid AND a.attname = $2::text AND NOT a.attisdropped
                    AND pg_catalog.has_column_privilege(r.oid, $1::oid, a.attnum, 'INSERT'))
ORDER BY 1
