-- Whether the nodes of the cluster reach each other: a connection for each pair. Rows as in preflight_tables.
SELECT 'error', 'distributed', 'node-unreachable', pg_catalog.concat('node ', h.to_nodename, ':', h.to_nodeport),
       pg_catalog.concat(h.from_nodename, ':', h.from_nodeport, ' cannot connect to it'),
       'Every node of the cluster has to reach every other one, and itself.',
       'Look at its log, its pg_hba.conf, and the password in pg_dist_authinfo or in .pgpass.'
FROM pg_catalog.citus_check_cluster_node_health() h
WHERE h.result IS NOT TRUE
