-- Waits for the table's shard as a Citus-local one and locks it weakly; then, until the table is distributed, takes a
-- snapshot on each node several times a second. The last ones taken before it was are left in a setting.
DO $guard$
DECLARE
    relation oid;
    shard text;
    method "char";
    model "char";
    seen jsonb;
BEGIN
    PERFORM pg_catalog.set_config('shardferry.guard_shard', '', false),
            pg_catalog.set_config('shardferry.guard_snapshots', '{}', false);
    LOOP
        -- First the snapshots, then the look: they count only if the table had not been distributed by then.
        IF shard IS NOT NULL THEN
            SELECT pg_catalog.jsonb_object_agg(nodeid, result) INTO seen
            FROM pg_catalog.run_command_on_all_nodes('SELECT pg_catalog.pg_current_snapshot()') WHERE success;
        END IF;
        -- By scans: in a transaction without new locks, what is cached of a name may be the table from before Citus took it.
        SELECT p.partmethod, p.repmodel, c.oid INTO method, model, relation
        FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = pg_catalog.current_setting('shardferry.guard_table')
        JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = c.oid
        WHERE n.nspname = pg_catalog.current_setting('shardferry.guard_schema');
        EXIT WHEN method = 'h';
        IF shard IS NULL AND method = 'n' AND model <> 't' THEN
            -- What it is called says the schema, too, unless that is public.
            SELECT pg_catalog.concat(CASE WHEN pg_catalog.current_setting('shardferry.guard_schema') = 'public' THEN 'public.' END,
                                     pg_catalog.shard_name(s.logicalrelid, s.shardid))
            INTO shard FROM pg_catalog.pg_dist_shard s WHERE s.logicalrelid = relation;
            EXECUTE pg_catalog.format('SELECT FROM %s WHERE false', shard);
            PERFORM pg_catalog.set_config('shardferry.guard_shard', shard, false);
        ELSIF seen IS NOT NULL THEN
            PERFORM pg_catalog.set_config('shardferry.guard_snapshots', seen::text, false);
        END IF;
        PERFORM pg_catalog.pg_sleep(0.1);
    END LOOP;
END
$guard$;
