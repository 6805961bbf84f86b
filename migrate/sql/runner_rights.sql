-- What this role lacks: to be (a member of) the owner of each table, and to make the schema.
SELECT pg_catalog.concat('table ', c.oid::regclass), 'is owned by ' || pg_catalog.quote_ident(o.rolname),
       pg_catalog.concat('Run it as the owner, or GRANT ', pg_catalog.quote_ident(o.rolname), ' TO ',
                         pg_catalog.quote_ident(current_user), '.')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
WHERE c.oid = ANY ($1::oid[]) AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
UNION ALL
SELECT pg_catalog.concat('database ', pg_catalog.quote_ident(pg_catalog.current_database())),
       'does not let this role make the schema shardferry',
       pg_catalog.concat('GRANT CREATE ON DATABASE ', pg_catalog.quote_ident(pg_catalog.current_database()), ' TO ',
                         pg_catalog.quote_ident(current_user), '.')
WHERE pg_catalog.to_regnamespace('shardferry') IS NULL
  AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
UNION ALL
SELECT 'server', 'is a standby', 'Let [control] conninfo name the primary.'
WHERE pg_catalog.pg_is_in_recovery()
