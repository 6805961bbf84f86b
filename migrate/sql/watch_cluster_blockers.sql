-- Who blocks the work of session $1 (its global pid) on other nodes.
SELECT pg_catalog.string_agg(DISTINCT pg_catalog.concat(
           'pid ', citus_pid_for_gpid(w.blocking_gpid), ' on node ', citus_nodeid_for_gpid(w.blocking_gpid), ': ',
           pg_catalog."left"(pg_catalog.regexp_replace(w.current_statement_in_blocking_process, '\s+', ' ', 'g'), 60)), '; ')
FROM citus_lock_waits w
WHERE w.waiting_gpid = $1::bigint
