-- The job that rebalances at the moment, if there is one, with what it has done of how much; and how many moves there are to do.
SELECT j.job_id, j.state::text, t.done, t.total, (SELECT pg_catalog.count(*) FROM pg_catalog.get_rebalance_table_shards_plan())
FROM (SELECT) AS one
LEFT JOIN LATERAL (SELECT b.job_id, b.state FROM pg_catalog.pg_dist_background_job b
                   WHERE b.job_type = 'rebalance' ORDER BY b.job_id DESC LIMIT 1) AS j ON true
LEFT JOIN LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE k.status::text = 'done') AS done, pg_catalog.count(*) AS total
                   FROM pg_catalog.pg_dist_background_task k WHERE k.job_id = j.job_id) AS t ON true
