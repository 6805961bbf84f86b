UPDATE shardferry.proxy
   SET lease_until = pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
           ($2::pg_catalog.int4 OPERATOR(pg_catalog.*) '1 ms'::pg_catalog.interval),
       lease_ms = $2::pg_catalog.int4,
       epoch = $3::pg_catalog.int8
 WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND NOT revoked
RETURNING (SELECT e.epoch FROM shardferry.epoch e)
