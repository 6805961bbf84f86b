-- When a directory of the server's ($1) was last changed, in seconds.
SELECT extract(epoch FROM (pg_catalog.pg_stat_file($1::text)).modification)::int8
