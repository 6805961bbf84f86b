WITH written AS (
    UPDATE shardferry.hold SET until = pg_catalog.clock_timestamp() RETURNING 1
)
SELECT pg_catalog.set_config('synchronous_commit', 'off', true), pg_catalog.pg_notify($1, 'hold') FROM written
