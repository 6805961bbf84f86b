-- Who else builds an index of a table ($1) at this moment.
SELECT p.pid, pg_catalog.concat('pid ', p.pid, ' (', coalesce(nullif(a.application_name, ''), 'unnamed'), ') to build an index')
FROM pg_catalog.pg_stat_progress_create_index p
JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
WHERE p.relid = $1::oid AND p.datname = pg_catalog.current_database() AND p.pid <> pg_catalog.pg_backend_pid()
ORDER BY p.pid
LIMIT 1
