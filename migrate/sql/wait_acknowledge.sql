-- Until each proxy works by the current epoch; one whose lease is over is waited for no longer. First those that have announced
-- themselves and not registered: one that registers between the two looks is seen by the second.
DO $wait$
BEGIN
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
                       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::int8 = 1936093304
                         AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                           WHERE d.datname = pg_catalog.current_database())
                         AND NOT EXISTS (SELECT FROM shardferry.proxy p
                                         WHERE ('x' || pg_catalog."left"(p.id::text, 8))::bit(32)::int8 = l.objid::int8)) THEN
            UPDATE shardferry.proxy SET revoked = true
            WHERE NOT revoked AND lease_until <= pg_catalog.clock_timestamp() AND epoch < (SELECT e.epoch FROM shardferry.epoch e);
            EXIT WHEN NOT EXISTS (SELECT FROM shardferry.proxy p, shardferry.epoch e WHERE NOT p.revoked AND p.epoch < e.epoch);
        END IF;
        COMMIT;
        PERFORM pg_catalog.pg_sleep(0.1);
    END LOOP;
END
$wait$;
