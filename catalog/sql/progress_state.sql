-- Where the migration stands: the epoch, the operator's wishes, and what the journal's last line
-- says, if that is a failure.
SELECT e.epoch,
       c.paused, c.rows_per_second, c.changed_by,
       pg_catalog.to_char(c.changed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       j.at, j.step, j.object, j.detail
FROM shardferry.epoch e
LEFT JOIN shardferry.control c ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.to_char(last.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
           last.step, last.object, last.detail
    FROM (SELECT * FROM shardferry.journal ORDER BY id DESC LIMIT 1) last
    WHERE last.event OPERATOR(pg_catalog.=) 'failed') j ON true
LIMIT 1
