-- Drops the foreign keys between the table shardferry.table and others, and records them first: this is where they are read
-- from until they are there again. Those to reference tables stay where Citus has the table already; one that it is about
-- to take must not have any, or Citus takes all with it that refer to the same reference table.
DO $shardferry$
DECLARE
    victim oid := pg_catalog.current_setting('shardferry.table')::regclass;
    key    record;
BEGIN
    FOR key IN
        SELECT f.conrelid::regclass AS child, pg_catalog.quote_ident(f.conname) AS name, f.oid
        FROM pg_catalog.pg_constraint f
        WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conrelid <> f.confrelid
          AND (f.confrelid = victim
               OR f.conrelid = victim
                  AND (NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition p
                                   WHERE p.logicalrelid = f.confrelid AND p.partmethod = 'n' AND p.repmodel = 't')
                       OR NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = victim)))
        ORDER BY f.conrelid, f.conname
    LOOP
        INSERT INTO shardferry.detached_key AS d
            (child_schema, child_table, name, parent_schema, parent_table, child_columns, parent_columns, definition,
             on_delete, on_update, validated, comment)
        SELECT cn.nspname, c.relname, f.conname, pn.nspname, p.relname,
               (SELECT pg_catalog.array_agg(a.attname ORDER BY k.i)
                FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k (attnum, i)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
               (SELECT pg_catalog.array_agg(a.attname ORDER BY k.i)
                FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k (attnum, i)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum),
               pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(f.oid), ' NOT VALID$', ''),
               f.confdeltype, f.confupdtype, f.convalidated, pg_catalog.obj_description(f.oid, 'pg_constraint')
        FROM pg_catalog.pg_constraint f
        JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
        JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
        JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
        WHERE f.oid = key.oid
        ON CONFLICT (child_schema, child_table, name) DO UPDATE
            SET parent_schema = excluded.parent_schema, parent_table = excluded.parent_table,
                child_columns = excluded.child_columns, parent_columns = excluded.parent_columns,
                definition = excluded.definition, on_delete = excluded.on_delete, on_update = excluded.on_update,
                validated = d.validated OR excluded.validated, comment = excluded.comment,
                detached = pg_catalog.clock_timestamp();
        EXECUTE pg_catalog.concat('ALTER TABLE ', key.child, ' DROP CONSTRAINT ', key.name);
    END LOOP;
END
$shardferry$;
