-- How many copies of reference tables are missing on nodes.
SELECT count(*)
FROM pg_dist_partition p
JOIN pg_dist_shard s ON s.logicalrelid = p.logicalrelid
JOIN pg_dist_node n ON n.noderole = 'primary' AND n.isactive
WHERE p.partmethod = 'n' AND p.repmodel = 't'
  AND NOT EXISTS (SELECT FROM pg_dist_placement l WHERE l.shardid = s.shardid AND l.groupid = n.groupid)
