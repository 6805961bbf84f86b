-- Until the transactions that hold a writer's lock on one of the tables now are over. Filled in: the tables, as an array.
DO $wait$
DECLARE
    writers text[] := ARRAY(SELECT DISTINCT l.virtualtransaction
                            FROM pg_catalog.pg_locks l
                            LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                            WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (%s::regclass[])
                              AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                                WHERE d.datname = pg_catalog.current_database())
                              AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock',
                                             'ExclusiveLock', 'AccessExclusiveLock')
                              AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
                              AND coalesce(a.backend_type, '') <> 'autovacuum worker');
BEGIN
    COMMIT;
    WHILE EXISTS (SELECT FROM pg_catalog.pg_locks l
                  WHERE l.locktype = 'relation' AND l.virtualtransaction = ANY (writers)) LOOP
        COMMIT;
        PERFORM pg_catalog.pg_sleep(0.1);
    END LOOP;
END
$wait$;
