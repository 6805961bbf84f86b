-- What decides how the table with the OID $1 is distributed: its rows, its size, the rows that are written a second since
-- the statistics began (those of the backfill, $2, are not the application's), and whether changes to it can be replicated.
SELECT CASE WHEN c.reltuples >= 0 THEN c.reltuples
            -- never analysed: as the planner does, of rows of about a hundred bytes
            ELSE pg_relation_size(c.oid) / 100 END::bigint,
       pg_total_relation_size(c.oid),
       CASE WHEN s.relid IS NULL THEN NULL
            ELSE greatest(s.n_tup_ins + s.n_tup_upd + s.n_tup_del - $2::bigint, 0)
                 / greatest(extract(epoch FROM clock_timestamp() - coalesce(d.stats_reset, pg_postmaster_start_time())), 1)
       END::float8,
       CASE c.relreplident
            WHEN 'f' THEN true
            WHEN 'n' THEN false
            WHEN 'd' THEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
            ELSE EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)
       END,
       current_setting('wal_level'),
       current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
       coalesce(current_setting('citus.shard_replication_factor', true), '1'),
       to_regclass('pg_dist_partition') IS NOT NULL,
       to_regproc('create_distributed_table_concurrently') IS NOT NULL
FROM pg_class c
LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
LEFT JOIN pg_stat_database d ON d.datname = current_database()
WHERE c.oid = $1::oid
