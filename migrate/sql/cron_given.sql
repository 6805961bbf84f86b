SELECT b.table_schema, b.table_name FROM shardferry.backfill b WHERE b.driver = 'pg_cron'
