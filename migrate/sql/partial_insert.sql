-- Roles that may insert into some columns of a table only, and not into its tenant column. Parameters and rows as in
-- preflight_tables.
SELECT 'error', 'derive', 'partial-insert',
       pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)),
       pg_catalog.concat('role "', r.rolname, '" may insert into some of its columns only'),
       'From stage derive on, the role''s INSERT fills the tenant column.',
       pg_catalog.concat('GRANT INSERT ON ', c.oid::regclass, ' TO ', pg_catalog.quote_ident(r.rolname), '.')
FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
JOIN pg_catalog.pg_class c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN pg_catalog.pg_roles r
WHERE t.kind = 'backfill' AND NOT r.rolsuper AND r.rolname !~ '^pg_'
  AND pg_catalog.has_any_column_privilege(r.oid, c.oid, 'INSERT')
  AND NOT pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped
                    AND pg_catalog.has_column_privilege(r.oid, c.oid, a.attnum, 'INSERT'))
