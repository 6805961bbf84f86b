
SELECT r.row_key,
       CASE WHEN a.pid IS NULL
            THEN pg_catalog.concat('prepared transaction "', p.gid, '" of ', p.owner, ', since ',
                                   pg_catalog.date_trunc('second', p.prepared))
            ELSE pg_catalog.concat('pid ', a.pid, ' (', coalesce(nullif(a.application_name, ''), a.backend_type),
                                   ', user ', coalesce(a.usename::text, '-'), ', ', coalesce(a.state, 'running'),
                                   ', in a transaction for ',
                                   pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start), '): ',
                                   coalesce(pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 60), ''))
       END
FROM range r
JOIN pg_catalog.pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = r.locker
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = l.transactionid
WHERE a.pid IS NOT NULL OR p.gid IS NOT NULL
LIMIT 1
