-- Whether the nodes of the cluster reach each other, by a connection for each pair, and read dates alike. Rows as in
-- preflight_tables.
SELECT 'error', 'distributed', 'node-unreachable', pg_catalog.concat('node ', h.to_nodename, ':', h.to_nodeport),
       pg_catalog.concat(h.from_nodename, ':', h.from_nodeport, ' cannot connect to it'),
       'Every node of the cluster has to reach every other one, and itself.',
       'Look at its log, its pg_hba.conf, and the password in pg_dist_authinfo or in .pgpass.'
FROM pg_catalog.citus_check_cluster_node_health() h
WHERE h.result IS NOT TRUE
UNION ALL
SELECT 'warning', 'distributed', 'date-style-differs', 'cluster',
       pg_catalog.concat('DateStyle, IntervalStyle are not the same on all nodes: ', pg_catalog.string_agg(DISTINCT r.result, ' and ')),
       'Citus hands some values from node to node as text: of a date, day and month can be exchanged without an error. A table that was copied so is found, and the migration stops.',
       'Give all nodes the same, in postgresql.conf or by ALTER DATABASE on each.'
FROM pg_catalog.run_command_on_all_nodes($$SELECT pg_catalog.concat_ws(', ', pg_catalog.current_setting('DateStyle'),
                                                                       pg_catalog.current_setting('IntervalStyle'))$$) r
WHERE r.success
HAVING pg_catalog.count(DISTINCT r.result) > 1
