-- The notification is delivered when the transaction commits, never before the change can be seen.
WITH changed AS (
    UPDATE shardferry.epoch SET epoch = $1::pg_catalog.int8, changed = pg_catalog.clock_timestamp() RETURNING epoch
)
SELECT epoch, pg_catalog.pg_notify('shardferry', epoch::pg_catalog.text) FROM changed
