-- What Citus has left of tables that it has distributed, and will drop soon: on the coordinator that looks like a table.
SELECT pg_catalog.to_regclass(c.object_name)::pg_catalog.oid
  FROM pg_catalog.pg_dist_cleanup c
 WHERE c.object_type OPERATOR(pg_catalog.=) 1 -- a shard
   AND pg_catalog.to_regclass(c.object_name) IS NOT NULL
