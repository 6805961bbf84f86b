-- What the sessions of that name ($1) do on all nodes: copies that run, the rows that they have copied, and the phase of
-- an index build.
SELECT pg_catalog.sum((n.result::pg_catalog.text[])[1]::bigint), pg_catalog.sum((n.result::pg_catalog.text[])[2]::bigint),
       pg_catalog.max((n.result::pg_catalog.text[])[3])
FROM run_command_on_all_nodes(pg_catalog.format(
$each$
SELECT ARRAY[(SELECT count(*)::text FROM pg_catalog.pg_stat_progress_copy c JOIN pg_catalog.pg_stat_activity a USING (pid)
              WHERE a.application_name = %1$L AND c.command = 'COPY FROM'),
             (SELECT coalesce(sum(c.tuples_processed), 0)::text
              FROM pg_catalog.pg_stat_progress_copy c JOIN pg_catalog.pg_stat_activity a USING (pid)
              WHERE a.application_name = %1$L AND c.command = 'COPY FROM'),
             (SELECT max(i.phase)
              FROM pg_catalog.pg_stat_progress_create_index i JOIN pg_catalog.pg_stat_activity a USING (pid)
              WHERE a.application_name = %1$L)]
$each$, $1::text), give_warning_for_connection_errors := false) n
WHERE n.success
