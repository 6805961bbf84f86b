-- Whether there are jobs of pg_cron that this role may look at.
SELECT pg_catalog.to_regclass('cron.job') IS NOT NULL
       AND coalesce(pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('cron'), 'USAGE')
                    AND pg_catalog.has_table_privilege(pg_catalog.to_regclass('cron.job'), 'SELECT'), false)
