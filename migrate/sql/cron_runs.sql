-- Runs of a job since a time that is so many milliseconds ago: how many have begun, how many of the last in a row have
-- failed, and what the last of these said.
WITH runs AS (
    SELECT d.status, d.return_message, pg_catalog.row_number() OVER (ORDER BY d.runid DESC) AS n
    FROM cron.job_run_details d
    WHERE d.jobid = $1::bigint
      AND coalesce(d.start_time, pg_catalog.clock_timestamp()) > pg_catalog.clock_timestamp() - $2::bigint * interval '1 ms'
)
SELECT pg_catalog.count(*),
       pg_catalog.count(*) FILTER (WHERE r.n < coalesce((SELECT min(g.n) FROM runs g WHERE g.status IS DISTINCT FROM 'failed'), 1000000)),
       (SELECT f.return_message FROM runs f WHERE f.status = 'failed' ORDER BY f.n LIMIT 1)
FROM runs r
