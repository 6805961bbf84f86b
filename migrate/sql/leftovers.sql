-- What runs that were broken off have left, and what removes it. Tables $1 are those that were enrolled and are to be neither
-- distributed nor reference tables any more.
WITH nodes AS (
    SELECT coalesce(pg_catalog.concat(n.nodename, ':', n.nodeport), 'a node') AS node, r.success, r.result
    FROM pg_catalog.run_command_on_all_nodes($look$
        SELECT pg_catalog.string_agg(l.name, ', ' ORDER BY l.name) FROM (
            SELECT s.slot_name::text AS name FROM pg_catalog.pg_replication_slots s
            WHERE s.slot_name LIKE 'citus\_shard\_split\_%' AND s.database = pg_catalog.current_database()
            UNION SELECT p.pubname FROM pg_catalog.pg_publication p WHERE p.pubname LIKE 'citus\_shard\_split\_%'
            UNION SELECT s.subname FROM pg_catalog.pg_subscription s
            JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = pg_catalog.current_database()
            WHERE s.subname LIKE 'citus\_shard\_split\_%') AS l
        $look$) AS r
    LEFT JOIN pg_catalog.pg_dist_node n ON n.nodeid = r.nodeid
)
SELECT pg_catalog.concat(r.n, ' resources of Citus that were to be cleaned up: ', r.names) AS what,
       'CALL pg_catalog.citus_cleanup_orphaned_resources()' AS sql
FROM (SELECT pg_catalog.count(*) AS n, pg_catalog.string_agg(c.object_name, ', ' ORDER BY c.record_id) AS names
      FROM pg_catalog.pg_dist_cleanup c) AS r
WHERE r.n > 0
UNION ALL
SELECT CASE WHEN d.success THEN pg_catalog.concat('slots, publications and subscriptions of broken-off splits on ', d.node, ': ', d.result)
            ELSE pg_catalog.concat('unknown, as ', d.node, ' cannot be asked: ', d.result) END,
       $sql$SELECT pg_catalog.run_command_on_all_nodes($drop$DO $do$
DECLARE item text;
BEGIN
    FOR item IN SELECT s.subname FROM pg_catalog.pg_subscription s
                JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = pg_catalog.current_database()
                WHERE s.subname LIKE 'citus\_shard\_split\_%' LOOP
        EXECUTE pg_catalog.format('ALTER SUBSCRIPTION %I DISABLE', item);
        EXECUTE pg_catalog.format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', item);
        EXECUTE pg_catalog.format('DROP SUBSCRIPTION %I', item);
    END LOOP;
    FOR item IN SELECT p.pubname FROM pg_catalog.pg_publication p WHERE p.pubname LIKE 'citus\_shard\_split\_%' LOOP
        EXECUTE pg_catalog.format('DROP PUBLICATION %I', item);
    END LOOP;
    PERFORM pg_catalog.pg_drop_replication_slot(s.slot_name) FROM pg_catalog.pg_replication_slots s
    WHERE s.slot_name LIKE 'citus\_shard\_split\_%' AND s.database = pg_catalog.current_database() AND NOT s.active;
END
$do$$drop$)$sql$
-- As long as there is something to be cleaned up they may belong to a split that is under way.
FROM nodes d WHERE NOT d.success OR d.result <> '' AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_cleanup)
UNION ALL
SELECT pg_catalog.concat('table ', p.logicalrelid, ', local to Citus'),
       pg_catalog.format('SELECT pg_catalog.undistribute_table(%L)', p.logicalrelid::text)
FROM pg_catalog.pg_dist_partition p
JOIN pg_catalog.unnest($1::oid[]) AS t(relid) ON t.relid = p.logicalrelid
WHERE p.partmethod = 'n' AND p.repmodel <> 't' AND p.colocationid = 0
  -- One that refers to a reference table, or is referred to, has to stay.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.contype = 'f' AND p.logicalrelid IN (k.conrelid, k.confrelid) AND k.conrelid <> k.confrelid)
UNION ALL
SELECT pg_catalog.concat('index ', i.indexrelid::regclass, ', not valid'),
       pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.indexrelid::regclass)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relname LIKE 'shardferry\_%' AND c.relkind = 'i' AND NOT pg_catalog.relation_is_a_known_shard(i.indrelid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index b WHERE b.index_relid = i.indexrelid)
UNION ALL
SELECT pg_catalog.concat('constraint ', k.conname, ' of ', k.conrelid::regclass),
       pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname)
FROM pg_catalog.pg_constraint k
WHERE k.conname LIKE 'shardferry\_%' AND k.coninhcount = 0 AND k.conrelid <> 0 AND NOT pg_catalog.relation_is_a_known_shard(k.conrelid)
  AND (k.contype = 'c' AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                       WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND NOT a.attnotnull)
       OR k.contype = 'f' AND NOT k.convalidated)
