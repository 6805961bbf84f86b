-- Who keeps others from a strong lock on a table: everyone who holds any lock on it or on a partition of it.
SELECT pg_catalog.concat(
           'pid ', a.pid, ' (', coalesce(nullif(a.application_name, ''), a.backend_type), ', user ',
           coalesce(a.usename::text, '-'), ', ', coalesce(a.state, 'running'), ', in a transaction for ',
           pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start), '): ',
           coalesce(pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 60), ''))
FROM pg_catalog.pg_stat_activity a
WHERE a.pid <> pg_catalog.pg_backend_pid()
  AND EXISTS (SELECT FROM pg_catalog.pg_locks l
              WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation' AND l.relation IN (SELECT $1::oid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree($1::oid) t)
                AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                  WHERE d.datname = pg_catalog.current_database()))
UNION ALL
SELECT pg_catalog.concat('prepared transaction "', p.gid, '" of ', p.owner, ', since ',
                         pg_catalog.date_trunc('second', p.prepared))
FROM pg_catalog.pg_prepared_xacts p
JOIN pg_catalog.pg_locks x ON x.pid IS NULL AND x.locktype = 'transactionid' AND x.transactionid = p.transaction
WHERE EXISTS (SELECT FROM pg_catalog.pg_locks l
              WHERE l.pid IS NULL AND l.granted AND l.locktype = 'relation' AND l.relation IN (SELECT $1::oid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree($1::oid) t)
                AND l.virtualtransaction = x.virtualtransaction)
LIMIT 5
