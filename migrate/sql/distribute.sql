-- Hands tables to Citus, and gives back what it forgets of them: where identity sequences stand, and comments. Part of a
-- transaction with these settings: shardferry.tables, an array of their names; shardferry.lock, the lock that is
-- taken on each before anything is read; shardferry.calls, an array of the calls.
DO $shardferry$
DECLARE
    names   text[] := pg_catalog.current_setting('shardferry.tables');
    calls   text[] := pg_catalog.current_setting('shardferry.calls');
    restore text[];
    item    text;
    own     record;
    at      bigint;
    called  boolean;
BEGIN
    FOREACH item IN ARRAY names LOOP
        EXECUTE pg_catalog.concat('LOCK TABLE ', item, ' IN ', pg_catalog.current_setting('shardferry.lock'), ' MODE');
    END LOOP;
    SELECT pg_catalog.array_agg(pg_catalog.concat('COMMENT ON ', o.object, ' IS ', pg_catalog.quote_literal(d.description)))
    INTO restore
    FROM pg_catalog.unnest(names) AS t (name)
    CROSS JOIN LATERAL (
        SELECT 'pg_class'::regclass::oid AS classoid, t.name::regclass::oid AS objoid, 0 AS objsubid,
               pg_catalog.concat('TABLE ', t.name) AS object
        UNION ALL
        SELECT 'pg_class'::regclass, a.attrelid, a.attnum,
               pg_catalog.concat('COLUMN ', t.name, '.', pg_catalog.quote_ident(a.attname))
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = t.name::regclass AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'pg_class'::regclass, i.indexrelid, 0, pg_catalog.concat('INDEX ', i.indexrelid::regclass)
        FROM pg_catalog.pg_index i
        WHERE i.indrelid = t.name::regclass
        UNION ALL
        SELECT 'pg_constraint'::regclass, k.oid, 0,
               pg_catalog.concat('CONSTRAINT ', pg_catalog.quote_ident(k.conname), ' ON ', t.name)
        FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = t.name::regclass) o
    JOIN pg_catalog.pg_description d USING (classoid, objoid, objsubid);
    FOR own IN
        SELECT t.name, a.attname, pg_catalog.pg_get_serial_sequence(t.name, a.attname) AS sequence
        FROM pg_catalog.unnest(names) AS t (name)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.name::regclass AND a.attidentity <> '' AND NOT a.attisdropped
    LOOP
        EXECUTE pg_catalog.concat('SELECT last_value, is_called FROM ', own.sequence) INTO at, called;
        restore := restore || pg_catalog.format('SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%L, %L), %s, %L)',
                                                own.name, own.attname, at, called);
    END LOOP;
    FOREACH item IN ARRAY calls LOOP
        EXECUTE pg_catalog.concat('SELECT ', item);
    END LOOP;
    FOREACH item IN ARRAY coalesce(restore, '{}') LOOP
        EXECUTE item;
    END LOOP;
END
$shardferry$;
