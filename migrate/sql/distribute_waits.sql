-- What a concurrent distribution would have to wait for, before it can begin: who distributes a table concurrently already
-- (the lock is Citus's own), and transactions that have been writing for a while, in any database, for a replication
-- slot is not made beside them.
SELECT concat('pid ', a.pid, ' (', coalesce(nullif(a.application_name, ''), a.backend_type), '), which distributes a table')
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = 2 AND l.objsubid = 9 AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
UNION ALL
SELECT concat('pid ', a.pid, ' (', coalesce(nullif(a.application_name, ''), a.backend_type), ', database ', a.datname,
              ', ', coalesce(a.state, 'running'), '), in a transaction for ',
              date_trunc('second', clock_timestamp() - a.xact_start))
FROM pg_stat_activity a
WHERE a.backend_xid IS NOT NULL AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - interval '1 second'
UNION ALL
SELECT concat('prepared transaction "', p.gid, '" of ', p.owner, ', since ', date_trunc('second', p.prepared))
FROM pg_prepared_xacts p
WHERE p.prepared < clock_timestamp() - interval '1 second'
LIMIT 5
