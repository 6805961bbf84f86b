-- Whether this server can run Citus: the extension is there, or can be made. pg_settings shows what is preloaded only to
-- those who may see it, who are also those who may make the extension.
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'citus')
       OR (EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = 'citus')
           AND EXISTS (SELECT FROM pg_catalog.pg_settings s
                       WHERE s.name = 'shared_preload_libraries'
                         AND 'citus' = ANY (pg_catalog.regexp_split_to_array(s.setting, '[\s,"]+'))))
