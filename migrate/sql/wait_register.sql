-- Until each proxy that has announced itself has registered.
DO $wait$
BEGIN
    WHILE EXISTS (SELECT FROM pg_catalog.pg_locks l
                  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::int8 = 1936093304
                    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                      WHERE d.datname = pg_catalog.current_database())
                    AND NOT EXISTS (SELECT FROM shardferry.proxy p
                                    WHERE ('x' || pg_catalog."left"(p.id::text, 8))::bit(32)::int8 = l.objid::int8)) LOOP
        COMMIT;
        PERFORM pg_catalog.pg_sleep(0.1);
    END LOOP;
END
$wait$;
