-- An UPDATE waits for a heartbeat that is under way, and then looks at what that has written: a proxy is either told
-- that its registration is gone, or found alive.
UPDATE shardferry.proxy
   SET revoked = true
 WHERE NOT revoked
   AND lease_until OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp()
   AND epoch OPERATOR(pg_catalog.<) $1::pg_catalog.int8
