-- How many foreign keys migrate/sql/detach.sql would drop of the table with the OID $1.
SELECT pg_catalog.count(*)
FROM pg_catalog.pg_constraint f
WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conrelid <> f.confrelid
  AND (f.confrelid = $1::oid
       OR f.conrelid = $1::oid AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition p
                                               WHERE p.logicalrelid = f.confrelid AND p.partmethod = 'n' AND p.repmodel = 't'))
