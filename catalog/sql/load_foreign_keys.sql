-- Foreign keys as they were declared; the copies that partitions have on either side are left out.
SELECT conrelid,
       confrelid,
       conname,
       conkey,
       confkey,
       convalidated,
       confdeltype,
       confupdtype,
       condeferrable
  FROM pg_catalog.pg_constraint
 WHERE contype = 'f'
   AND conparentid = 0
 ORDER BY conrelid, conname
