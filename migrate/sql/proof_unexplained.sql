-- The rows that differ and that nothing explains, with the deletions that the shards of the table have counted: how many there
-- are, and some of them.
WITH placed AS (
    SELECT * FROM pg_temp.shardferry_placed
), counted AS (
    SELECT r.shardid, pg_catalog.split_part(r.result, ' ', 1)::bigint AS deleted, pg_catalog.split_part(r.result, ' ', 2)::bigint AS updated
    FROM pg_catalog.run_command_on_shards(%s, $of$SELECT pg_catalog.concat(pg_catalog.pg_stat_get_tuples_deleted($shard$%%1$s$shard$::regclass), ' ',
                                                       pg_catalog.pg_stat_get_tuples_updated($shard$%%1$s$shard$::regclass))$of$) AS r
    WHERE r.success
), shards AS (
    SELECT p.shardid, pg_catalog.count(*) FILTER (WHERE p.what = 'missing') AS missing,
           pg_catalog.count(*) FILTER (WHERE p.what = 'added' AND p.explained) AS added
    FROM placed AS p GROUP BY p.shardid
), unexplained AS (
    SELECT p.tenant, p.key, p.what
    FROM placed AS p JOIN shards AS s ON s.shardid = p.shardid LEFT JOIN counted AS c ON c.shardid = p.shardid
    WHERE CASE p.what WHEN 'missing' THEN s.missing > coalesce(c.deleted + least(c.updated, s.added), 0) ELSE NOT p.explained END
)
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE u.what = 'missing'), pg_catalog.count(*) FILTER (WHERE u.what = 'added'),
       (SELECT pg_catalog.string_agg(pg_catalog.concat(f.key, ' ', f.what), ', ')
        FROM (SELECT key, what FROM unexplained ORDER BY what DESC, key LIMIT 10) AS f)
FROM unexplained AS u
