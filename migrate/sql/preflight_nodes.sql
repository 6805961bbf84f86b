-- Whether the nodes of the cluster reach each other, by a connection for each pair, and have what is asked of them: $1 tables are
-- to be distributed concurrently. Rows as in preflight_tables.
WITH node AS (
    SELECT pg_catalog.concat('node ', n.nodename, ':', n.nodeport) AS name, n.shouldhaveshards AS gets_shards, r.result::json AS its
    FROM pg_catalog.run_command_on_all_nodes($$
        SELECT pg_catalog.json_build_object(
            'dates', pg_catalog.concat_ws(', ', pg_catalog.current_setting('DateStyle'), pg_catalog.current_setting('IntervalStyle')),
            'version', pg_catalog.current_setting('server_version_num')::int / 10000,
            'subscribers', pg_catalog.current_setting('max_logical_replication_workers')::int,
            'origins', pg_catalog.current_setting('max_replication_slots')::int,
            'encoding', pg_catalog.getdatabaseencoding(),
            'collation', pg_catalog.concat_ws(', ', d.datcollate, d.datctype),
            'extensions', (SELECT pg_catalog.json_agg(e.name) FROM pg_catalog.pg_available_extensions() e))
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()$$) r
    JOIN pg_catalog.pg_dist_node n USING (nodeid)
    WHERE r.success
), own AS (
    SELECT pg_catalog.current_setting('server_version_num')::int / 10000 AS version, pg_catalog.getdatabaseencoding() AS encoding,
           pg_catalog.concat_ws(', ', d.datcollate, d.datctype) AS collation
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
)
SELECT 'error', 'distributed', 'node-unreachable', pg_catalog.concat('node ', h.to_nodename, ':', h.to_nodeport),
       pg_catalog.concat(h.from_nodename, ':', h.from_nodeport, ' cannot connect to it'),
       'Every node of the cluster has to reach every other one, and itself.',
       'Look at its log, its pg_hba.conf, and the password in pg_dist_authinfo or in .pgpass.'
FROM pg_catalog.citus_check_cluster_node_health() h
WHERE h.result IS NOT TRUE
UNION ALL
SELECT 'warning', 'distributed', 'date-style-differs', 'cluster',
       pg_catalog.concat('DateStyle, IntervalStyle are not the same on all nodes: ', pg_catalog.string_agg(DISTINCT n.its ->> 'dates', ' and ')),
       'Citus hands some values from node to node as text: of a date, day and month can be exchanged without an error. A table that was copied so is found, and the migration stops.',
       'Give all nodes the same, in postgresql.conf or by ALTER DATABASE on each.'
FROM node n
HAVING pg_catalog.count(DISTINCT n.its ->> 'dates') > 1
UNION ALL
SELECT 'error', 'distributed', 'node-cannot-subscribe', n.name,
       pg_catalog.concat('its ', lacking.setting, ' is ', n.its ->> lacking.key),
       'A node that gets shards of a table that is distributed concurrently subscribes to its changes: Citus would wait for it in vain.',
       pg_catalog.concat('ALTER SYSTEM SET ', lacking.setting, ' to 10, say, on that node, and restart it.')
FROM node n, (VALUES ('subscribers', 'max_logical_replication_workers'), ('origins', 'max_replication_slots')) AS lacking(key, setting)
WHERE $1::int8 > 0 AND n.gets_shards AND (n.its ->> lacking.key)::int < 1
UNION ALL
SELECT 'error', 'distributed', 'encoding-differs', n.name,
       pg_catalog.concat('its database is in ', n.its ->> 'encoding', ', the coordinator''s in ', own.encoding),
       'What the one can write the other may not be able to.', 'Make the database on the node anew, in the same encoding.'
FROM node n, own WHERE n.its ->> 'encoding' <> own.encoding
UNION ALL
SELECT 'warning', 'distributed', 'collation-differs', n.name,
       pg_catalog.concat('its database has the collation ', n.its ->> 'collation', ', the coordinator''s ', own.collation),
       'Rows that each node has sorted by itself are merged in the coordinator''s order.',
       'Make the database on the node anew, with the same LC_COLLATE and LC_CTYPE.'
FROM node n, own WHERE n.its ->> 'collation' <> own.collation
UNION ALL
SELECT 'warning', 'distributed', 'version-differs', n.name,
       pg_catalog.concat('it is PostgreSQL ', n.its ->> 'version', ', the coordinator ', own.version),
       'What one can do the other may not be able to.', 'Bring all nodes to the same major version.'
FROM node n, own WHERE (n.its ->> 'version')::int <> own.version
UNION ALL
SELECT 'warning', 'distributed', 'extension-not-offered', n.name, pg_catalog.concat('it does not offer the extension ', e.extname),
       'Citus makes an extension on all nodes with the first table that needs it.', 'Install it there, if a table of yours needs it.'
FROM node n, pg_catalog.pg_extension e
WHERE NOT EXISTS (SELECT FROM pg_catalog.json_array_elements_text(n.its -> 'extensions') AS x(name) WHERE x.name = e.extname)
