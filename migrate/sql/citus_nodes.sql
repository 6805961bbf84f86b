SELECT nodename, nodeport, groupid = 0, isactive, shouldhaveshards
FROM pg_dist_node
WHERE noderole = 'primary'
ORDER BY groupid <> 0, nodeid
