-- Asks the proxies how long their clients' statements take, and reads what they answered the last time: the slowest.
SELECT p.latency_us, p.host, p.pid, pg_catalog.pg_notify($1, 'latency')
FROM (VALUES (1)) asked (n)
LEFT JOIN LATERAL (
    SELECT p.latency_us, p.host, p.pid FROM shardferry.proxy p
    WHERE p.latency_us IS NOT NULL
      AND p.measured OPERATOR(pg_catalog.>)
          (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '4 s'::pg_catalog.interval)
    ORDER BY p.latency_us DESC
    LIMIT 1
) p ON true
