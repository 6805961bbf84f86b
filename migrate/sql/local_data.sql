-- Those of the tables $1 whose rows from before they were distributed still take up room on the coordinator, partitions included.
SELECT t.ord - 1
FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS t(relid, ord)
JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = t.relid
WHERE EXISTS (
    SELECT FROM (SELECT t.relid UNION SELECT f.relid::oid FROM pg_catalog.pg_partition_tree(t.relid) f) AS r(relid)
    JOIN pg_catalog.pg_class c ON c.oid = r.relid AND c.relkind = 'r'
    WHERE pg_catalog.pg_relation_size(c.oid) > 0)
ORDER BY 1
