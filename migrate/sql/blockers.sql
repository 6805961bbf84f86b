-- Who keeps others from a strong lock on some tables: everyone who holds any lock on one of them or on a partition of
-- it. Columns: who it is; for how many milliseconds its transaction has been open; its pid if it is an autovacuum that
-- gives way to others.
-- Tables are named, for Citus gives them new OIDs. What other roles' sessions do is hidden from a role that is no member of
-- pg_read_all_stats.
WITH tab AS MATERIALIZED (
    SELECT t.oid FROM pg_catalog.unnest($1::text[]) n, pg_catalog.to_regclass(n) t (oid) WHERE t.oid IS NOT NULL
), held AS MATERIALIZED (
    SELECT l.pid, l.virtualtransaction
    FROM pg_catalog.pg_locks l
    WHERE l.granted AND l.locktype = 'relation'
      AND l.relation IN (SELECT t.oid FROM tab t UNION SELECT p.relid FROM tab t, pg_catalog.pg_partition_tree(t.oid) p)
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
)
SELECT pg_catalog.concat(
           'pid ', a.pid, ' (', coalesce(nullif(a.application_name, '') || ', ', a.backend_type || ', '), 'user ',
           coalesce(a.usename::text, '-'),
           ', ' || a.state || coalesce(', in a transaction for '
               || pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start), ''), ')',
           CASE WHEN a.xact_start IS NOT NULL
                THEN ': ' || pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 60) END),
       (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000)::bigint AS ms,
       CASE WHEN a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%(to prevent wraparound)' THEN a.pid END
FROM pg_catalog.pg_stat_activity a
WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.pid IN (SELECT h.pid FROM held h)
UNION ALL
SELECT pg_catalog.concat('prepared transaction "', p.gid, '" of ', p.owner, ', since ',
                         pg_catalog.date_trunc('second', p.prepared)),
       (extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared) * 1000)::bigint, NULL
FROM pg_catalog.pg_prepared_xacts p
JOIN pg_catalog.pg_locks x ON x.pid IS NULL AND x.locktype = 'transactionid' AND x.transactionid = p.transaction
WHERE x.virtualtransaction IN (SELECT h.virtualtransaction FROM held h WHERE h.pid IS NULL)
ORDER BY ms DESC NULLS LAST
LIMIT 3
