-- The steps of the run at hand, or of the last one. Times since are in milliseconds.
SELECT position, step, object, what,
       pg_catalog.to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       (EXTRACT(epoch FROM COALESCE(finished, pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.-) started)
        OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8,
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) updated)
        OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8,
       finished IS NOT NULL,
       phase, work_done, work_total, unit, rate, batch, waiting_for, blocked_by,
       runner_pid
FROM shardferry.progress
ORDER BY position
