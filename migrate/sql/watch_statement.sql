-- How far the statement of session $1 is, as far as the server tells; and who blocks it, or a session that works for it
-- (which Citus names after it: $2, empty without Citus). One row.
WITH worker AS (
    SELECT a.pid, a.wait_event_type
    FROM pg_catalog.pg_stat_activity a
    WHERE a.pid = $1::integer OR (a.application_name = $2::text AND $2::text <> '')
), blocker AS (
    SELECT DISTINCT b.pid
    FROM worker w, pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) b (pid)
    WHERE w.wait_event_type = 'Lock'
), named AS (
    SELECT pg_catalog.concat(
               'pid ', b.pid, ' (', coalesce(nullif(a.application_name, ''), a.backend_type, 'unknown'), ', user ',
               coalesce(a.usename::text, '-'), ', ', coalesce(a.state, 'running'),
               ', in a transaction for ' || pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start),
               '): ',
               pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 60)) AS who
    FROM blocker b LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
    WHERE b.pid <> 0
    UNION ALL
    SELECT 'a prepared transaction (pg_prepared_xacts shows which)' FROM blocker b WHERE b.pid = 0
), progress AS (
    SELECT p.phase, p.lockers_done AS done, p.lockers_total AS total, 'transactions' AS unit
    FROM pg_catalog.pg_stat_progress_create_index p
    WHERE p.pid = $1::integer AND p.phase LIKE 'waiting%'
    UNION ALL
    SELECT p.phase, p.blocks_done, p.blocks_total, 'blocks'
    FROM pg_catalog.pg_stat_progress_create_index p
    WHERE p.pid = $1::integer AND p.phase NOT LIKE 'waiting%' AND p.blocks_total > 0
    UNION ALL
    SELECT p.phase, nullif(p.tuples_done, 0), p.tuples_total, 'rows'
    FROM pg_catalog.pg_stat_progress_create_index p
    WHERE p.pid = $1::integer AND p.phase NOT LIKE 'waiting%' AND p.blocks_total = 0
    UNION ALL
    SELECT p.phase, p.heap_blks_scanned, p.heap_blks_total, 'blocks'
    FROM pg_catalog.pg_stat_progress_vacuum p
    WHERE p.pid = $1::integer
    UNION ALL
    SELECT p.phase, p.heap_blks_scanned, p.heap_blks_total, 'blocks'
    FROM pg_catalog.pg_stat_progress_cluster p
    WHERE p.pid = $1::integer
)
SELECT p.phase, p.done, p.total, p.unit,
       (SELECT pg_catalog.string_agg(s.who, '; ') FROM (SELECT n.who FROM named n ORDER BY 1 LIMIT 3) s)
FROM (SELECT) one LEFT JOIN progress p ON true
LIMIT 1
