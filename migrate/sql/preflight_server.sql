-- What distributing tables asks of the server: $1 of them concurrently. Rows as in preflight_tables.
WITH setting AS (
    SELECT pg_catalog.current_setting('wal_level') AS wal_level,
           pg_catalog.current_setting('max_replication_slots')::int8 AS slots,
           (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots) AS slots_used,
           pg_catalog.current_setting('max_wal_senders')::int8 AS senders,
           (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'walsender') AS senders_used,
           pg_catalog.current_setting('max_prepared_transactions')::int8 AS prepared,
           pg_catalog.current_setting('max_connections')::int8 AS connections,
           (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'output_plugin_libraries') AS plugins,
           $1::int8 AS online
)
SELECT 'error', 'distributed', 'wal-level', 'server', pg_catalog.concat('wal_level is ', s.wal_level),
       'Citus follows the writers by logical decoding while it distributes a table concurrently.',
       'ALTER SYSTEM SET wal_level = logical, and restart the server; or set method = blocking for every table.'
FROM setting s WHERE s.online > 0 AND s.wal_level <> 'logical'
UNION ALL
-- A slot for each node that gets shards, and one for the snapshot.
SELECT 'error', 'distributed', 'replication-slots', 'server',
       pg_catalog.concat('max_replication_slots is ', s.slots, ', and ', s.slots_used, ' are in use'),
       'Distributing a table concurrently takes one for each node that gets shards, and one more.',
       'ALTER SYSTEM SET max_replication_slots to more, and restart the server; or drop slots that nobody uses.'
FROM setting s WHERE s.online > 0 AND s.slots - s.slots_used < 2
UNION ALL
SELECT 'error', 'distributed', 'wal-senders', 'server',
       pg_catalog.concat('max_wal_senders is ', s.senders, ', and ', s.senders_used, ' are in use'),
       'Distributing a table concurrently takes one for each node that gets shards, and one more.',
       'ALTER SYSTEM SET max_wal_senders to more, and restart the server.'
FROM setting s WHERE s.online > 0 AND s.senders - s.senders_used < 2
UNION ALL
SELECT 'error', 'distributed', 'output-plugin-libraries', 'server',
       pg_catalog.concat('output_plugin_libraries is ', s.plugins, ', without citus'),
       'Citus decodes with a plugin of its own while it distributes a table concurrently, and this release loads listed ones alone.',
       pg_catalog.concat('ALTER SYSTEM SET output_plugin_libraries = ', nullif(pg_catalog.regexp_replace(
                             pg_catalog.translate(s.plugins, '"', ''), '(^|,\s*)citus\M', '', 'g'), '') || ', ',
                         'citus, each a word of its own and not all in one pair of quotes; then SELECT pg_reload_conf().')
FROM setting s
WHERE s.online > 0 AND s.plugins IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_catalog.regexp_split_to_table(s.plugins, ',') AS p(element)
                  WHERE pg_catalog.btrim(p.element) IN ('citus', '"citus"'))
UNION ALL
SELECT 'warning', 'distributed', 'prepared-transactions', 'server',
       pg_catalog.concat('max_prepared_transactions is ', s.prepared, ', and max_connections ', s.connections),
       'Citus commits what changes on several nodes in two phases: each connection may need a prepared transaction.',
       'ALTER SYSTEM SET max_prepared_transactions to at least max_connections on every node, and restart them.'
FROM setting s WHERE s.prepared < s.connections
