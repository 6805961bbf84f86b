-- The session that runs the procedure now.
SELECT a.pid
FROM pg_catalog.pg_stat_activity a
WHERE a.query LIKE 'CALL shardferry.%' AND pg_catalog.strpos(a.query, $1) > 0 AND a.state = 'active'
  AND a.datname = pg_catalog.current_database()
LIMIT 1
