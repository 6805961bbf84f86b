-- ALTER ROLE … SET and ALTER DATABASE … SET, of what decides how a statement's text and names are understood.
SELECT r.rolname,
       d.datname,
       pg_catalog.split_part(o.option, '=', 1),
       pg_catalog.substr(o.option, pg_catalog.strpos(o.option, '=') + 1)
  FROM pg_catalog.pg_db_role_setting s
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS o (option)
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
 WHERE (s.setdatabase = 0 OR d.datname = pg_catalog.current_database())
   AND (s.setrole = 0 OR r.oid IS NOT NULL)
   AND pg_catalog.lower(pg_catalog.split_part(o.option, '=', 1)) IN ('search_path', 'standard_conforming_strings', 'client_encoding', 'shardferry.tenant')
 ORDER BY d.datname NULLS FIRST, r.rolname NULLS FIRST, 3
