UPDATE shardferry.proxy
   SET latency_us = $2::pg_catalog.int8, measured = pg_catalog.clock_timestamp()
 WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid
