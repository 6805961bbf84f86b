-- The most frequent statements that clients have sent to this database. Filled in: whether the server knows of a statement that
-- a client sent it, and the extension's schema.
SELECT s.query, sum(s.calls)::int8
  FROM %2$s.pg_stat_statements s
 WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
   AND s.query IS NOT NULL
   AND %1$s
 GROUP BY s.query
 ORDER BY 2 DESC
 LIMIT 2000
