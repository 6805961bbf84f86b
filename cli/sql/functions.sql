-- The application's functions and procedures: not the system's, not an extension's, not shardferry's own. The settings
-- that a session of the owner begins with stand in for those of whoever calls.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
           || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
       p.proname,
       l.lanname,
       p.prosrc,
       CASE WHEN l.lanname IN ('plpgsql', 'sql') THEN pg_catalog.pg_get_functiondef(p.oid) END,
       pg_catalog.array_to_json(p.proargnames),
       pg_catalog.array_to_json(p.proargmodes::pg_catalog.text[]),
       p.prorettype IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype),
       COALESCE((SELECT pg_catalog.substr(c, 13)
                   FROM pg_catalog.unnest(p.proconfig) c
                  WHERE c LIKE 'search_path=%'),
                (SELECT pg_catalog.substr(c, 13)
                   FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c
                  WHERE c LIKE 'search_path=%'
                    AND s.setrole IN (0, p.proowner)
                    AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                                               WHERE d.datname = pg_catalog.current_database()))
                  ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC
                  LIMIT 1)),
       COALESCE((SELECT pg_catalog.substr(c, 27)
                   FROM pg_catalog.unnest(p.proconfig) c
                  WHERE c LIKE 'plpgsql.variable\_conflict=%'),
                pg_catalog.current_setting('plpgsql.variable_conflict', true)),
       p.proretset AND p.provolatile <> 'v' AND NOT p.proisstrict AND NOT p.prosecdef AND p.proconfig IS NULL,
       NOT EXISTS (SELECT 1
                     FROM pg_catalog.pg_class c
                    WHERE c.reltype = p.prorettype
                      AND c.relkind <> 'c')
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.prokind IN ('f', 'p')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'shardferry')
   AND n.nspname NOT LIKE 'pg\_temp\_%'
   AND NOT EXISTS (SELECT 1
                     FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                      AND d.objid = p.oid
                      AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                      AND d.deptype = 'e')
 ORDER BY 1
