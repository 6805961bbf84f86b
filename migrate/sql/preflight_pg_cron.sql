-- Whether pg_cron can run the backfill. Rows as in preflight_tables.
SELECT 'error', 'keyed', 'no-pg-cron', 'server',
       CASE WHEN a.name IS NULL THEN 'pg_cron is not installed' ELSE 'the extension pg_cron is not in this database' END,
       'driver = pg_cron leaves the backfill to it.',
       CASE WHEN a.name IS NULL THEN 'Install it; or set driver = runner.'
            ELSE 'Set cron.database_name to this database and CREATE EXTENSION pg_cron; or set driver = runner.' END
FROM (SELECT) one LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = 'pg_cron'
WHERE pg_catalog.to_regclass('cron.job') IS NULL
