-- The job: its id, whether it is active, what it runs.
SELECT j.jobid, j.active, j.command FROM cron.job j WHERE j.jobname = $1 AND j.username = CURRENT_USER
