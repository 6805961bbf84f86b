-- Whether Citus is to be had where it is not yet there. Rows as in preflight_tables.
SELECT 'warning', 'distributed', 'no-citus', 'server',
       CASE WHEN a.name IS NULL THEN 'Citus is not installed' ELSE 'Citus is installed, but not in shared_preload_libraries' END,
       'Without it the migration ends in stage resolve, and what would follow is printed as a script.',
       CASE WHEN a.name IS NULL THEN 'Install Citus on this server and on the workers, or move the database to servers that have it.'
            ELSE 'Put citus first in shared_preload_libraries on every node, and restart them.' END
FROM (SELECT) one LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = 'citus'
WHERE a.name IS NULL
   OR 'citus' <> ALL (pg_catalog.regexp_split_to_array(pg_catalog.current_setting('shared_preload_libraries'), '[\s,"]+'))
