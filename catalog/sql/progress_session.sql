-- For connections that only look and note: they wait for nobody for long, not even for a standby's answer.
SELECT pg_catalog.set_config('client_min_messages', 'warning', false),
       pg_catalog.set_config('standard_conforming_strings', 'on', false),
       pg_catalog.set_config('search_path', 'pg_catalog', false),
       pg_catalog.set_config('statement_timeout', '5s', false),
       pg_catalog.set_config('lock_timeout', '1s', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '10s', false),
       pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
       pg_catalog.set_config('default_transaction_read_only', 'off', false),
       pg_catalog.set_config('default_transaction_deferrable', 'off', false),
       pg_catalog.set_config('synchronous_commit', 'off', false)
