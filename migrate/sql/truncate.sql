-- Truncates the rows that a table has kept on the coordinator. That cascades along all foreign keys, so first, and under
-- locks under which no key can be added, all that can be reached by one, in either direction, has to be Citus's, so that what
-- is on the coordinator is not what is read. Part of a transaction with a setting: shardferry.table, its name.
DO $truncate$
DECLARE
    wanted CONSTANT regclass := pg_catalog.current_setting('shardferry.table');
    closure regclass[];
    locked regclass[] := '{}';
    item regclass;
    stray text;
BEGIN
    LOOP
        WITH RECURSIVE reached(relid) AS (
            SELECT wanted::oid
            UNION
            SELECT o.relid FROM reached r CROSS JOIN LATERAL (
                SELECT CASE WHEN k.conrelid = r.relid THEN k.confrelid ELSE k.conrelid END
                FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND r.relid IN (k.conrelid, k.confrelid)
                UNION ALL
                -- Partitions, what they are partitions of, and tables that inherit.
                SELECT CASE WHEN i.inhrelid = r.relid THEN i.inhparent ELSE i.inhrelid END
                FROM pg_catalog.pg_inherits i WHERE r.relid IN (i.inhrelid, i.inhparent)) AS o(relid)
        )
        SELECT pg_catalog.array_agg(r.relid::regclass ORDER BY r.relid) INTO closure FROM reached r;
        EXIT WHEN closure <@ locked;
        FOREACH item IN ARRAY closure LOOP
            IF NOT item = ANY (locked) THEN
                EXECUTE pg_catalog.format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', item);
                locked := locked || item;
            END IF;
        END LOOP;
    END LOOP;
    SELECT pg_catalog.string_agg(c.relid::text, ', ') INTO stray
    FROM pg_catalog.unnest(closure) AS c(relid)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition p JOIN pg_catalog.pg_dist_shard s ON s.logicalrelid = p.logicalrelid
                      WHERE p.logicalrelid = c.relid);
    IF stray IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = pg_catalog.format('foreign keys lead from %s to tables whose only rows are on the coordinator: %s', wanted, stray),
            DETAIL = 'To truncate what was left behind cascades along them: these tables would be emptied.',
            HINT = 'Distribute them, make them reference tables, or drop the foreign keys; then run it again. The rows that were left '
                   'behind only take up room.';
    END IF;
    PERFORM pg_catalog.truncate_local_data_after_distributing_table(wanted);
END
$truncate$;
