-- The tables, and for how many milliseconds more; no row: none.
SELECT (EXTRACT(epoch FROM h.until OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp())
           OPERATOR(pg_catalog.*) 1000)::pg_catalog.int4,
       h.tables[i][1], h.tables[i][2]
FROM shardferry.hold h, pg_catalog.generate_subscripts(h.tables, 1) i
WHERE h.until OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()
