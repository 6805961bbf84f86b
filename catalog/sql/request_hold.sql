-- What is lost of it in a crash of the server is not missed, so that nobody waits for the disk.
WITH written AS (
    INSERT INTO shardferry.hold AS h (until, tables, backend_pid)
    SELECT pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
               ($1::pg_catalog.int4 OPERATOR(pg_catalog.*) '1 ms'::pg_catalog.interval),
           $2::pg_catalog.text[], pg_catalog.pg_backend_pid()
    ON CONFLICT (only_row) DO UPDATE
        SET until = excluded.until, tables = excluded.tables, backend_pid = excluded.backend_pid
    RETURNING 1
)
SELECT pg_catalog.set_config('synchronous_commit', 'off', true), pg_catalog.pg_notify($3, 'hold') FROM written
