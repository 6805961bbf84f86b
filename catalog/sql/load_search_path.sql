-- What the search_path of a new session is before anything of its role, database or client is applied, as far as
-- this session can see it: NULL where one of those covers it. To be asked before load_begin, which sets its own.
SELECT boot_val,
       CASE WHEN source IN ('default', 'environment variable', 'configuration file', 'command line', 'global')
            THEN reset_val END
  FROM pg_catalog.pg_settings
 WHERE name OPERATOR(pg_catalog.=) 'search_path'
