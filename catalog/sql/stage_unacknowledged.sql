-- Proxies that may still run statements planned under an older epoch: they have not said that they are done, nor has
-- their registration been revoked.
SELECT id, host, pid, version, epoch,
       GREATEST(pg_catalog.ceil(EXTRACT(epoch FROM lease_until OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp())::pg_catalog.float8
                                OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)::pg_catalog.int8, 0)
  FROM shardferry.proxy
 WHERE NOT revoked
   AND epoch OPERATOR(pg_catalog.<) $1::pg_catalog.int8
 ORDER BY host, pid
