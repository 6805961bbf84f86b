-- The transactions that have written to one of the tables and are still open: they hold a lock that conflicts with
-- SHARE. One row each: its virtual transaction, which names it for good, and who it is.
SELECT DISTINCT l.virtualtransaction,
       CASE WHEN l.pid IS NULL
            THEN pg_catalog.concat('prepared transaction "', p.gid, '" of ', p.owner, ', since ',
                                   pg_catalog.date_trunc('second', p.prepared))
            ELSE pg_catalog.concat('pid ', l.pid, ' (', coalesce(nullif(a.application_name, ''), a.backend_type),
                                   ', user ', coalesce(a.usename::text, '-'), ', ', coalesce(a.state, 'running'),
                                   ', in a transaction since ', pg_catalog.date_trunc('second', a.xact_start), ')')
       END
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_catalog.pg_locks x
       ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1::oid[])
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                 'AccessExclusiveLock')
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
  AND coalesce(a.backend_type, '') <> 'autovacuum worker'
