-- Roles that may insert into a table ($1) but not read what its tenant is derived from: in table $2 the columns $3, an array
-- literal for each. Also those whom row security would show less than all of it, which has the same effect.
SELECT s.child, s.parent, r.rolname,
       CASE WHEN NOT may.schema THEN 'USAGE on its schema'
            WHEN NOT may.columns THEN 'SELECT on ' || pg_catalog.array_to_string(s.columns::text[], ', ')
            ELSE 'BYPASSRLS, or a policy that shows it every row'
       END,
       CASE WHEN NOT may.schema THEN pg_catalog.concat('GRANT USAGE ON SCHEMA ', p.relnamespace::regnamespace, ' TO ', pg_catalog.quote_ident(r.rolname), '.')
            WHEN NOT may.columns
            THEN pg_catalog.concat('GRANT SELECT (', (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') FROM pg_catalog.unnest(s.columns::text[]) c),
                                   ') ON ', p.oid::regclass, ' TO ', pg_catalog.quote_ident(r.rolname), '.')
            ELSE pg_catalog.concat('ALTER ROLE ', pg_catalog.quote_ident(r.rolname), ' BYPASSRLS; or add such a policy.')
       END
FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::oid[]), pg_catalog.unnest($3::text[])) AS s(child, parent, columns)
JOIN pg_catalog.pg_class p ON p.oid = s.parent
CROSS JOIN pg_catalog.pg_roles r
CROSS JOIN LATERAL (
    SELECT pg_catalog.has_schema_privilege(r.oid, p.relnamespace, 'USAGE') AS schema,
           NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       WHERE a.attrelid = p.oid AND a.attname = ANY (s.columns::text[]) AND NOT a.attisdropped
                         AND NOT pg_catalog.has_column_privilege(r.oid, p.oid, a.attnum, 'SELECT')) AS columns) may
WHERE NOT r.rolsuper AND r.rolname !~ '^pg_'
  AND pg_catalog.has_any_column_privilege(r.oid, s.child, 'INSERT')
  AND (NOT may.schema OR NOT may.columns
       OR (p.relrowsecurity AND NOT r.rolbypassrls
           AND (p.relforcerowsecurity OR NOT pg_catalog.pg_has_role(r.oid, p.relowner, 'USAGE'))))
ORDER BY 1, 3, 2
