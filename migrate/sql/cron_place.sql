SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron'), pg_catalog.current_database()
