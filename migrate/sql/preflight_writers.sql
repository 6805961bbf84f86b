-- Sessions that may write to the tables ($1) and do not come from a host where a proxy runs: one that has announced itself by
-- the lock $2. Who comes from such a host may come through the proxy or past it: nothing tells. All addresses of the server's
-- own host are one.
WITH proxy AS (
    SELECT DISTINCT CASE WHEN a.client_addr IS NULL OR a.client_addr IN ('127.0.0.1', '::1', pg_catalog.inet_server_addr())
                         THEN '127.0.0.1'::inet ELSE a.client_addr END AS host
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::int8 = $2::int8
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
), writer AS (
    SELECT a.pid, pg_catalog.quote_ident(a.usename) AS role, nullif(a.application_name, '') AS application,
           CASE WHEN a.client_addr IS NULL OR a.client_addr IN ('127.0.0.1', '::1', pg_catalog.inet_server_addr())
                THEN '127.0.0.1'::inet ELSE a.client_addr END AS host
    FROM pg_catalog.pg_stat_activity a
    WHERE a.datname = pg_catalog.current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
      AND a.usesysid IS NOT NULL
      -- Addresses of others are hidden from a role that may not see them.
      AND a.client_port IS NOT NULL
      AND a.application_name !~ '^(shardferry |citus_internal|citus_rebalancer|citus_run_command)'
      AND EXISTS (SELECT FROM pg_catalog.unnest($1::oid[]) t
                  WHERE pg_catalog.has_any_column_privilege(a.usesysid, t, 'INSERT') OR pg_catalog.has_any_column_privilege(a.usesysid, t, 'UPDATE'))
), by_client AS (
    SELECT w.role, w.application, w.host, pg_catalog.count(*) AS n, pg_catalog.min(w.pid) AS pid
    FROM writer w WHERE NOT EXISTS (SELECT FROM proxy p WHERE p.host = w.host)
    GROUP BY 1, 2, 3
)
SELECT 'warning', 'derive', 'no-proxy', 'proxy',
       pg_catalog.concat('none is connected to this database, and ', sum(b.n), CASE sum(b.n) WHEN 1 THEN ' session' ELSE ' sessions' END,
                         ' may write to its tables'),
       'Rows that are inserted past the proxies get no tenant.',
       'Start shardferry proxy with this configuration, and let the application connect to it.'
FROM by_client b
WHERE NOT EXISTS (SELECT FROM proxy)
HAVING sum(b.n) > 0
UNION ALL
SELECT 'warning', 'derive', 'writer-past-the-proxies', pg_catalog.concat('role ', b.role),
       pg_catalog.concat(b.n, CASE b.n WHEN 1 THEN ' session' ELSE ' sessions' END, ' (', coalesce(b.application, pg_catalog.concat('pid ', b.pid)), ', from ',
                         CASE b.host WHEN '127.0.0.1' THEN 'the server''s own host' ELSE pg_catalog.host(b.host) END, ') ',
                         CASE b.n WHEN 1 THEN 'does' ELSE 'do' END, ' not come through a proxy'),
       'Rows that they insert get no tenant. Of sessions from a proxy''s own host nobody can tell.',
       'Let them connect to a proxy, or set the tenant column themselves; or set trigger = on in section [migration].'
FROM by_client b
WHERE EXISTS (SELECT FROM proxy)
