-- What the server has counted in this database. Filled in: the columns for time and for the level of a statement
-- (in a function, or sent by a client), and the extension's schema.
SELECT s.query, s.calls, s.%s, r.rolname, %s
  FROM %s.pg_stat_statements s
  LEFT JOIN pg_roles r ON r.oid = s.userid
 WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
 ORDER BY 3 DESC
