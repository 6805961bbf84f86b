-- Roles that may insert into a table ($1) but not read what its tenant is derived from: in table $2 the columns $3.
-- Also those whom row security would show less than all of it, which has the same effect.
SELECT r.rolname,
       CASE WHEN NOT may.schema THEN 'USAGE on its schema'
            WHEN NOT may.columns THEN 'SELECT on ' || pg_catalog.array_to_string($3::text[], ', ')
            ELSE 'BYPASSRLS, or a policy that shows it every row'
       END
FROM pg_catalog.pg_roles r
CROSS JOIN (SELECT c.oid, c.relnamespace, c.relrowsecurity, c.relforcerowsecurity, c.relowner
            FROM pg_catalog.pg_class c WHERE c.oid = $2::oid) p
CROSS JOIN LATERAL (
    SELECT pg_catalog.has_schema_privilege(r.oid, p.relnamespace, 'USAGE') AS schema,
           NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       WHERE a.attrelid = p.oid AND a.attname = ANY ($3::text[]) AND NOT a.attisdropped
                         AND NOT pg_catalog.has_column_privilege(r.oid, p.oid, a.attnum, 'SELECT')) AS columns) may
WHERE NOT r.rolsuper AND r.rolname !~ '^pg_'
  AND pg_catalog.has_any_column_privilege(r.oid, $1::oid, 'INSERT')
  AND (NOT may.schema OR NOT may.columns
       OR (p.relrowsecurity AND NOT r.rolbypassrls
           AND (p.relforcerowsecurity OR NOT pg_catalog.pg_has_role(r.oid, p.relowner, 'USAGE'))))
ORDER BY 1
