SELECT host, pid, version, epoch,
       (EXTRACT(epoch FROM lease_until OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp())
        OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8,
       revoked
FROM shardferry.proxy
ORDER BY host, pid, started
