-- How large the tables $1 are, with their partitions, and how many rows a second were written since the server's statistics
-- began. A table that has never been analysed has as many rows as the statistics have seen come, or as fit into it when
-- they take about a hundred bytes.
WITH RECURSIVE part AS (
    SELECT t.oid AS root, t.oid FROM pg_catalog.unnest($1::oid[]) AS t(oid)
    UNION ALL
    SELECT p.root, i.inhrelid
    FROM part p
    JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
), age AS (
    SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                              - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time())) AS seconds
    FROM pg_catalog.pg_stat_database d
    WHERE d.datname = pg_catalog.current_database()
), leaf AS (
    SELECT p.root, pg_catalog.pg_total_relation_size(c.oid) AS bytes,
           CASE WHEN c.relkind = 'p' THEN 0
                WHEN c.reltuples > 0 THEN c.reltuples::int8
                WHEN s.n_live_tup > 0 THEN s.n_live_tup
                WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) / 100 END AS rows,
           s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes
    FROM part p
    JOIN pg_catalog.pg_class c ON c.oid = p.oid
    LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
)
SELECT l.root,
       CASE WHEN pg_catalog.bool_or(l.rows IS NULL) THEN -1 ELSE pg_catalog.sum(l.rows) END::int8,
       coalesce(pg_catalog.sum(l.bytes), 0)::int8,
       coalesce(pg_catalog.sum(l.writes) / NULLIF(pg_catalog.max(a.seconds), 0), -1)::float8
FROM leaf l
LEFT JOIN age a ON true
GROUP BY l.root
