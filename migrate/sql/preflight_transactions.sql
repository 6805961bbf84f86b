-- Transactions that have been open for longer than $1 seconds. Rows as in preflight_tables.
SELECT 'warning', 'derive', 'long-transaction', pg_catalog.concat('pid ', a.pid),
       pg_catalog.concat('a transaction of ', coalesce(pg_catalog.quote_ident(a.usename), 'another role'), ' (',
                         coalesce(nullif(a.application_name, ''), a.backend_type, '?'), ') has been open for ',
                         pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start)),
       'Indexes that are built and tables that are distributed while writers go on wait for it; and what it has locked cannot be changed.',
       pg_catalog.concat('Let it end before; or SELECT pg_terminate_backend(', a.pid, ').')
FROM pg_catalog.pg_stat_activity a
WHERE a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1::float8)
  AND a.pid <> pg_catalog.pg_backend_pid() AND a.datname = pg_catalog.current_database()
  AND a.backend_type IN ('client backend', 'background worker', 'logical replication worker')
  AND a.leader_pid IS NULL
UNION ALL
SELECT 'warning', 'derive', 'prepared-transaction', pg_catalog.concat('prepared transaction ', pg_catalog.quote_literal(p.gid)),
       pg_catalog.concat(pg_catalog.quote_ident(p.owner), ' prepared it ', pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - p.prepared),
                         ' ago, and it has been neither committed nor rolled back'),
       'It keeps its locks until then, also over a restart.',
       pg_catalog.concat('COMMIT PREPARED ', pg_catalog.quote_literal(p.gid), '; or ROLLBACK PREPARED ', pg_catalog.quote_literal(p.gid), '.')
FROM pg_catalog.pg_prepared_xacts p
WHERE p.database = pg_catalog.current_database() AND p.gid !~ '^citus_'
  AND p.prepared < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1::float8)
