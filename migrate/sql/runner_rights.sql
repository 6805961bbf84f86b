-- What this role lacks: to be (a member of) the owner of each table, and to make the schema; and what the owners lack.
-- Parameters and rows as in preflight_tables.
WITH tab AS (
    SELECT t.oid, t.online, c.relowner, c.relnamespace,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
)
SELECT 'error', 'derive', 'not-the-owner', tab.name, 'it is owned by ' || pg_catalog.quote_ident(o.rolname),
       'A table''s owner alone may change it.',
       pg_catalog.concat('Run it as the owner, or GRANT ', pg_catalog.quote_ident(o.rolname), ' TO ',
                         pg_catalog.quote_ident(current_user), '.')
FROM tab JOIN pg_catalog.pg_roles o ON o.oid = tab.relowner
WHERE NOT pg_catalog.pg_has_role(tab.relowner, 'USAGE')
UNION ALL
SELECT 'error', 'keyed', 'may-not-create-indexes', pg_catalog.concat('schema ', tab.relnamespace::regnamespace),
       'this role lacks CREATE on it', 'The indexes of the new keys are made there.',
       pg_catalog.concat('GRANT CREATE ON SCHEMA ', tab.relnamespace::regnamespace, ' TO ', pg_catalog.quote_ident(current_user), '.')
FROM tab WHERE NOT pg_catalog.has_schema_privilege(tab.relnamespace, 'CREATE')
GROUP BY tab.relnamespace
UNION ALL
SELECT 'error', 'distributed', 'owner-may-not-create', tab.name,
       pg_catalog.concat('its owner ', pg_catalog.quote_ident(o.rolname), ' lacks CREATE on schema ', tab.relnamespace::regnamespace),
       'Where a table is distributed concurrently, its owner makes the shards in its schema.',
       pg_catalog.concat('GRANT CREATE ON SCHEMA ', tab.relnamespace::regnamespace, ' TO ', pg_catalog.quote_ident(o.rolname), '.')
FROM tab JOIN pg_catalog.pg_roles o ON o.oid = tab.relowner
WHERE tab.online AND NOT pg_catalog.has_schema_privilege(tab.relowner, tab.relnamespace, 'CREATE')
UNION ALL
SELECT 'error', 'derive', 'may-not-create-schema', pg_catalog.concat('database ', pg_catalog.quote_ident(pg_catalog.current_database())),
       'it does not let this role make the schema shardferry',
       'Stages and progress are kept there.',
       pg_catalog.concat('GRANT CREATE ON DATABASE ', pg_catalog.quote_ident(pg_catalog.current_database()), ' TO ',
                         pg_catalog.quote_ident(current_user), '.')
WHERE pg_catalog.to_regnamespace('shardferry') IS NULL
  AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
UNION ALL
SELECT 'error', 'derive', 'standby', 'server', 'it is a standby', 'Nothing can be changed on it.', 'Let [control] conninfo name the primary.'
WHERE pg_catalog.pg_is_in_recovery()
