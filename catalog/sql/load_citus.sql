-- What Citus knows: 'h' is distributed by hash; 'n' has no distribution column, and is a reference table
-- (replicated by two-phase commit, 't') or a local one that Citus knows of ('s', outside of any colocation group).
SELECT logicalrelid::pg_catalog.oid,
       CASE
           WHEN partmethod = 'h' THEN 'distributed'
           WHEN partmethod = 'n' AND repmodel = 't' THEN 'reference'
           WHEN partmethod = 'n' AND repmodel = 's' AND colocationid = 0 THEN 'local'
           ELSE 'other'
       END,
       CASE WHEN partmethod = 'h' THEN pg_catalog.column_to_column_name(logicalrelid, partkey::pg_catalog.text) END
  FROM pg_catalog.pg_dist_partition
