-- Who has announced a proxy that has never registered: holders of the lock $1, of which no row of shardferry.proxy
-- has the id. Whether a row's lease runs does not matter: its proxy knows of the schema, and fences itself.
SELECT l.pid,
       pg_catalog.quote_ident(a.usename),
       pg_catalog.concat('pid ', l.pid, ' (', COALESCE(NULLIF(a.application_name, ''), 'unnamed'), ', role "', a.usename,
                         '", from ',
                         CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr)
                              WHEN a.client_port IS NOT NULL THEN 'the server''s own host'
                              ELSE 'an address that this role may not see' END, ')'),
       pg_catalog.has_schema_privilege(a.usesysid, 'shardferry', 'USAGE')
           AND pg_catalog.has_table_privilege(a.usesysid, 'shardferry.epoch', 'SELECT')
           AND pg_catalog.has_any_column_privilege(a.usesysid, 'shardferry.epoch', 'UPDATE')
           AND pg_catalog.has_table_privilege(a.usesysid, 'shardferry.stage', 'SELECT')
           AND pg_catalog.has_table_privilege(a.usesysid, 'shardferry.proxy', 'SELECT')
           AND pg_catalog.has_table_privilege(a.usesysid, 'shardferry.proxy', 'INSERT')
           AND pg_catalog.has_table_privilege(a.usesysid, 'shardferry.proxy', 'UPDATE')
           AND pg_catalog.has_table_privilege(a.usesysid, 'shardferry.proxy', 'DELETE')
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
   AND l.granted
   AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
                                           WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND l.objsubid OPERATOR(pg_catalog.=) 2 -- a lock of two int4
   AND l.classid::pg_catalog.int8 OPERATOR(pg_catalog.=) $1::pg_catalog.int8
   AND NOT EXISTS (SELECT 1
                     FROM shardferry.proxy p
                    WHERE ('x' OPERATOR(pg_catalog.||) pg_catalog."left"(p.id::pg_catalog.text, 8))::bit(32)::pg_catalog.int8
                          OPERATOR(pg_catalog.=) l.objid::pg_catalog.int8)
 ORDER BY l.pid
