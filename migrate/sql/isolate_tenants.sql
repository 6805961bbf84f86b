-- The largest tenants, up to $1, by the rows of all tables, with whether a shard of the table $2 is theirs alone.
SELECT t.tenant, t.n, s.shardminvalue = s.shardmaxvalue
FROM (SELECT c.tenant, pg_catalog.sum(c.row_count) AS n FROM shardferry.checksum c
      WHERE c.phase = 'after' AND c.tenant IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1::bigint) AS t
JOIN pg_catalog.pg_dist_shard s ON s.shardid = pg_catalog.get_shard_id_for_distribution_column($2::oid::regclass, t.tenant)
ORDER BY t.n DESC, t.tenant
