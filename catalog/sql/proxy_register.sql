-- The share lock on the epoch's row puts this before or behind any stage change as a whole: the change that comes
-- next finds this proxy, and this proxy gets the epoch of the change that came before. It has acknowledged nothing
-- yet: what it sends meanwhile may still be planned by a snapshot from before that change.
WITH forgotten AS (
    DELETE FROM shardferry.proxy
     WHERE lease_until OPERATOR(pg_catalog.<) (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '1 day'::interval)
), now_valid AS (
    SELECT epoch FROM shardferry.epoch FOR SHARE
)
INSERT INTO shardferry.proxy AS p (id, host, pid, version, lease_until, lease_ms, epoch)
SELECT $1::pg_catalog.uuid, $2, $3::pg_catalog.int4, $4,
       pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
           ($5::pg_catalog.int4 OPERATOR(pg_catalog.*) '1 ms'::pg_catalog.interval),
       $5::pg_catalog.int4, 0
  FROM now_valid
ON CONFLICT (id) DO UPDATE
   SET host = excluded.host, pid = excluded.pid, version = excluded.version, started = pg_catalog.now(),
       lease_until = excluded.lease_until, lease_ms = excluded.lease_ms, revoked = false,
       epoch = excluded.epoch
RETURNING (SELECT now_valid.epoch FROM now_valid)
