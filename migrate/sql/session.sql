-- client_connection_check_interval is there from PostgreSQL 14 on, and not on every system: asked for, not demanded.
SELECT pg_catalog.set_config('client_min_messages', 'warning', false),
       pg_catalog.set_config('standard_conforming_strings', 'on', false),
       pg_catalog.set_config('search_path', 'pg_catalog', false),
       pg_catalog.set_config('lock_timeout', '10s', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),
       pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
       pg_catalog.set_config('default_transaction_read_only', 'off', false);
DO $$
BEGIN
    PERFORM pg_catalog.set_config('client_connection_check_interval', '100ms', false);
EXCEPTION WHEN OTHERS THEN
    NULL;
END
$$;
