-- Proxies that may still run statements planned under an older epoch: their lease has not run out, and they have
-- not said that they are done.
SELECT id, host, pid, version, epoch,
       pg_catalog.ceil(EXTRACT(epoch FROM lease_until OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp())::pg_catalog.float8
                       OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)::pg_catalog.int8
  FROM shardferry.proxy
 WHERE lease_until OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()
   AND epoch OPERATOR(pg_catalog.<) $1::pg_catalog.int8
 ORDER BY host, pid
