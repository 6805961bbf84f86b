-- How far the standby that is furthest behind is, in milliseconds, and its name; no row while none is.
SELECT (extract(epoch FROM r.replay_lag) * 1000)::bigint,
       coalesce(nullif(r.application_name, ''), r.client_addr::text, 'a standby')
FROM pg_catalog.pg_stat_replication r
WHERE r.replay_lag IS NOT NULL
ORDER BY 1 DESC
LIMIT 1
