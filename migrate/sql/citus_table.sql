-- What the table $1.$2 is to Citus: 'h' is distributed by hash; 'n' has no distribution column, and is a reference table
-- (replicated by two-phase commit, 't') or a local one that Citus knows of ('s', outside of any colocation group).
SELECT c.oid,
       CASE
           WHEN p.logicalrelid IS NULL THEN 'none'
           WHEN p.partmethod = 'h' THEN 'distributed'
           WHEN p.partmethod = 'n' AND p.repmodel = 't' THEN 'reference'
           WHEN p.partmethod = 'n' AND p.repmodel = 's' AND p.colocationid = 0 THEN 'local'
           ELSE 'other'
       END,
       CASE WHEN p.partmethod = 'h' THEN column_to_column_name(p.logicalrelid, p.partkey::text) END,
       coalesce(p.colocationid, 0),
       coalesce(p.autoconverted, false)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_dist_partition p ON p.logicalrelid = c.oid
WHERE n.nspname = $1 AND c.relname = $2
