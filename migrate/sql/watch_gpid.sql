-- What Citus calls the sessions that work for session $1; none where this node is in no cluster.
SELECT 'citus_internal gpid=' || g.gpid, g.gpid
FROM (SELECT citus_calculate_gpid((SELECT d.nodeid FROM pg_catalog.pg_dist_node d
                                   WHERE d.groupid = (SELECT l.groupid FROM pg_catalog.pg_dist_local_group l)
                                     AND d.noderole = 'primary'
                                   LIMIT 1), $1::integer) AS gpid) g
WHERE g.gpid IS NOT NULL
