-- One row about the server, the database, and what this session may read.
SELECT pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_database(),
       pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL,
       pg_catalog.to_regclass('shardferry.epoch') IS NOT NULL AND
           pg_catalog.to_regclass('shardferry.stage') IS NOT NULL,
       pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT') AND
           pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE'),
       -- NULL where it is not there
       coalesce(pg_catalog.has_table_privilege(pg_catalog.to_regclass('shardferry.detached_key'), 'SELECT'), false),
       coalesce(pg_catalog.has_table_privilege(pg_catalog.to_regclass('pg_catalog.pg_dist_cleanup'), 'SELECT'), false)
