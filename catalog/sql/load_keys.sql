-- Primary keys, unique constraints and unique indexes that are in force. An index that is not valid (left behind
-- by CREATE INDEX CONCURRENTLY) guarantees nothing.
SELECT i.indrelid,
       COALESCE(k.conname, c.relname),
       i.indisprimary,
       k.oid IS NOT NULL,
       i.indpred IS NOT NULL OR i.indexprs IS NOT NULL,
       i.indkey,
       i.indnkeyatts
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_constraint k
    ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
 WHERE i.indisunique
   AND i.indisvalid
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'shardferry')
 ORDER BY i.indrelid, c.relname
