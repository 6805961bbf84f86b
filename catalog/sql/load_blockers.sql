-- Who keeps view definitions from being read, with what they have locked: a table that a view reads, or a catalog.
SELECT pg_catalog.string_agg(b.blocker, '; ')
  FROM (
SELECT pg_catalog.concat(
           CASE WHEN l.pid IS NULL THEN 'a prepared transaction'
                ELSE pg_catalog.concat('pid ', l.pid, ' (', COALESCE(NULLIF(a.application_name, ''), a.backend_type), ', role "',
                                       a.usename, '")') END,
           ' has locked ', pg_catalog.string_agg(DISTINCT l.relation::pg_catalog.regclass::pg_catalog.text, ', ')) AS blocker
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'relation'
   AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
   AND l.granted
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND l.database IN (0::pg_catalog.oid,
                      (SELECT d.oid FROM pg_catalog.pg_database d
                        WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))
   AND (l.relation::pg_catalog.int8 OPERATOR(pg_catalog.<) 16384
        OR EXISTS (SELECT 1
                     FROM pg_catalog.pg_depend d
                    WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                      AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.refobjid OPERATOR(pg_catalog.=) l.relation))
 GROUP BY l.pid, a.application_name, a.backend_type, a.usename
 ORDER BY l.pid
 LIMIT 3
) b
