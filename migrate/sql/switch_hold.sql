-- When the distribution that the backend $1 is at last began to wait for its subscriptions, as text: it asks itself then,
-- on a connection of its own that is named by its global pid, where the log is. NULL before the first time.
SELECT max(a.query_start)::text,
       EXISTS (SELECT FROM pg_locks l
               WHERE l.pid = $1::int AND l.locktype = 'advisory' AND l.objsubid = 4 AND l.mode = 'ExclusiveLock')
FROM pg_stat_activity a
WHERE a.query LIKE '%pg_current_wal_lsn()%'
  AND a.application_name LIKE 'citus%gpid=%'
  AND substring(a.application_name FROM 'gpid=(\d+)')::numeric % 10000000000 = $1::int
