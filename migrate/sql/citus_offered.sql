-- Whether this server can run Citus: the extension is there, or can be made.
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'citus')
       OR (EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = 'citus')
           AND 'citus' = ANY (pg_catalog.regexp_split_to_array(
                   pg_catalog.current_setting('shared_preload_libraries'), '[\s,"]+')))
