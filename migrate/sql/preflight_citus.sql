-- The cluster as Citus sees it: $1 tables are to be distributed concurrently, $2 says whether the configuration names workers,
-- $3 whether it names the coordinator. Rows as in preflight_tables.
WITH version AS (
    SELECT e.extversion, pg_catalog.regexp_match(e.extversion, '^(\d+)\.(\d+)')::int[] AS parts
    FROM pg_catalog.pg_extension e WHERE e.extname = 'citus'
)
SELECT 'error', 'distributed', 'citus-version', 'server', pg_catalog.concat('Citus is of version ', v.extversion),
       'Tables are distributed concurrently from version 11.1 on.',
       'Update Citus, and ALTER EXTENSION citus UPDATE; or set method = blocking for every table.'
FROM version v WHERE v.parts < ARRAY[11, 1] AND $1::int8 > 0
UNION ALL
SELECT 'error', 'distributed', 'no-workers', 'cluster', 'it has no worker that may hold shards',
       'Shards need a node to lie on.',
       'Name workers in section [migration], or SELECT citus_add_node(''host'', port).'
FROM (SELECT) one
WHERE NOT $2::bool AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node n WHERE n.isactive AND n.noderole = 'primary' AND n.shouldhaveshards)
UNION ALL
SELECT 'error', 'distributed', 'no-coordinator', 'cluster', 'the coordinator is not among its nodes',
       'Local tables that refer to reference tables, and distributing concurrently, need it there.',
       'Set coordinator_host in section [migration], or SELECT citus_set_coordinator_host(''host'', port).'
FROM (SELECT) one
WHERE NOT $3::bool AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node n WHERE n.groupid = 0)
UNION ALL
SELECT 'error', 'distributed', 'coordinator-unreachable-by-name', 'cluster',
       pg_catalog.concat('the coordinator is known as ', n.nodename, ', which names another host to each worker'),
       'Workers connect to the coordinator by that name.',
       'Set coordinator_host in section [migration], or SELECT citus_set_coordinator_host(''host'', port).'
FROM pg_catalog.pg_dist_node n
WHERE NOT $3::bool AND n.groupid = 0 AND n.nodename = 'localhost'
  AND EXISTS (SELECT FROM pg_catalog.pg_dist_node w WHERE w.groupid <> 0 AND w.nodename NOT IN ('localhost', '127.0.0.1'))
UNION ALL
SELECT 'error', 'distributed', 'node-inactive', pg_catalog.concat('node ', n.nodename, ':', n.nodeport), 'it is not active',
       'Reference tables and metadata cannot be brought to it.', 'SELECT citus_activate_node, or citus_remove_node if it is gone.'
FROM pg_catalog.pg_dist_node n WHERE n.noderole = 'primary' AND NOT n.isactive
UNION ALL
SELECT 'error', 'distributed', 'shard-replication', 'server', 'citus.shard_replication_factor is more than 1',
       'No table is distributed concurrently then, and foreign keys are not kept.',
       'Set it to 1, and replicate the nodes themselves.'
WHERE coalesce(pg_catalog.current_setting('citus.shard_replication_factor', true), '1') <> '1'
