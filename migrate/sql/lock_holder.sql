SELECT pg_catalog.concat('pid ', l.pid, ' (', coalesce(nullif(a.application_name, ''), 'unnamed'),
                         ', user ', coalesce(a.usename::text, '?'),
                         ', from ', coalesce(a.client_addr::text, 'the server''s own host'),
                         ', since ', pg_catalog.date_trunc('second', a.backend_start), ')')
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND (l.classid::bigint << 32) + l.objid::bigint = $1::bigint
