SELECT pg_catalog.current_setting('port'), coalesce(pg_catalog.inet_client_port(), 0)
