-- The transaction of the guard goes on: the old shard moves out of Citus's reach. Its foreign keys go, lest they hold rows of
-- others that nothing refers to any more.
DO $keep$
DECLARE
    shard regclass := pg_catalog.to_regclass(pg_catalog.current_setting('shardferry.guard_shard'));
    part record;
    key record;
    tries int := 0;
    kept text;
BEGIN
    IF pg_catalog.current_setting('shardferry.guard_shard') = '' OR pg_catalog.current_setting('shardferry.guard_snapshots') = '{}' THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'the table was distributed before its old shard could be guarded';
    END IF;
    -- Those who read it still are waited for first, and nobody waits behind that: it is no table's shard any more.
    PERFORM pg_catalog.set_config('lock_timeout', pg_catalog.current_setting('shardferry.guard_wait'), true);
    -- One that is partitioned has shards below it, in no particular order.
    FOR part IN SELECT c.oid::regclass AS name, pg_catalog.concat('switched_', c.oid) AS new_name, c.oid = shard AS top
                FROM (SELECT shard::oid AS relid UNION SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(shard) t) AS t
                JOIN pg_catalog.pg_class c ON c.oid = t.relid LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s SET SCHEMA shardferry', part.name);
        EXECUTE pg_catalog.format('ALTER TABLE %s RENAME TO %I', part.name::oid::regclass, part.new_name);
        IF part.top THEN
            kept := part.new_name;
        END IF;
    END LOOP;
    -- The other end of a key is in use: its lock is tried for, and held for a moment.
    PERFORM pg_catalog.set_config('lock_timeout', '100ms', true);
    FOR key IN SELECT k.conrelid::regclass AS child, k.conname FROM pg_catalog.pg_constraint k
               WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid <> k.confrelid
                 AND shard IN (k.conrelid, k.confrelid) LOOP
        LOOP
            BEGIN
                EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', key.child, key.conname);
                EXIT;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                tries := tries + 1;
                IF tries > 100 THEN
                    RAISE;
                END IF;
            END;
            PERFORM pg_catalog.pg_sleep(0.1);
        END LOOP;
    END LOOP;
    INSERT INTO shardferry.switch (table_schema, table_name, old_shard, snapshots)
    VALUES (pg_catalog.current_setting('shardferry.guard_schema'), pg_catalog.current_setting('shardferry.guard_table'), kept,
            pg_catalog.current_setting('shardferry.guard_snapshots')::jsonb)
    ON CONFLICT (table_schema, table_name) DO UPDATE
        SET old_shard = excluded.old_shard, snapshots = excluded.snapshots, switched = pg_catalog.clock_timestamp(), proved = NULL;
END
$keep$;
COMMIT;
