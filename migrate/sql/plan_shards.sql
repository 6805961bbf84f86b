-- Into how many shards Citus distributes a table; its own default where the server does not have it.
SELECT coalesce(pg_catalog.current_setting('citus.shard_count', true), '32')::int
