-- Which of the rows that differ were written by transactions that were open at the snapshot of their node, or came later, and in
-- which shard they are. What a snapshot sees is not asked: it does not know the subtransactions of those that are open.
CREATE TEMP TABLE shardferry_placed ON COMMIT DROP AS
SELECT c.tenant, c.key, c.what, t.shardid,
       c.what <> 'missing' AND x.id >= pg_catalog.pg_snapshot_xmin(s.snapshot)::text::bigint IS TRUE AS explained
FROM pg_temp.shardferry_changed AS c
JOIN (SELECT d.tenant, pg_catalog.get_shard_id_for_distribution_column(%s, d.tenant) AS shardid
      FROM (SELECT DISTINCT tenant FROM pg_temp.shardferry_changed) AS d) AS t ON t.tenant = c.tenant
LEFT JOIN pg_catalog.pg_dist_placement AS p ON p.shardid = t.shardid
LEFT JOIN pg_catalog.pg_dist_node AS n ON n.groupid = p.groupid AND n.noderole = 'primary'
LEFT JOIN LATERAL (SELECT (w.snapshots->>n.nodeid::text)::pg_snapshot AS snapshot FROM shardferry.switch AS w WHERE %s) AS s ON true
LEFT JOIN LATERAL (
    -- The transaction's full number is the one that is nearest to the snapshot.
    SELECT greatest(3, y.top + CASE WHEN y.ahead >= 2147483648 THEN y.ahead - 4294967296 ELSE y.ahead END) AS id
    FROM (SELECT z.top, (c.xid - z.top) & 4294967295 AS ahead
          FROM (SELECT pg_catalog.pg_snapshot_xmax(s.snapshot)::text::bigint AS top) AS z) AS y) AS x ON true
