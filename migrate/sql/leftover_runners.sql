-- Sessions of earlier runners that go on without them, by what they hold: more than somebody who only looks does.
SELECT a.pid,
       pg_catalog.concat('pid ', a.pid, ' (since ', pg_catalog.date_trunc('second', coalesce(a.xact_start, a.backend_start)), '): ',
                         coalesce(pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 60), ''))
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.application_name IN ('shardferry migrate', 'shardferry guard') AND a.backend_type = 'client backend'
  AND EXISTS (SELECT FROM pg_catalog.pg_locks l
              WHERE l.pid = a.pid AND l.locktype IN ('relation', 'transactionid') AND l.mode <> 'AccessShareLock'
                AND (l.locktype = 'relation' OR l.granted))
ORDER BY a.pid
