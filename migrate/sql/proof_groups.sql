-- Into how many groups the rows of a tenant are put, of what an old shard ($1) holds by its tenant column ($2), when a group is to
-- have so many rows ($3), and there are to be so many groups ($4): powers of two. For the average tenant; and for those that have
-- by far more rows, as two arrays. By the shard's statistics; where there are none, by its size and for a hundred tenants.
WITH shard AS (
    SELECT CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE pg_catalog.pg_relation_size(c.oid) / 100.0 END AS row_count,
           CASE WHEN s.n_distinct > 0 THEN s.n_distinct WHEN s.n_distinct < 0 THEN greatest(1, -s.n_distinct * c.reltuples) ELSE 100 END AS tenants,
           s.most_common_vals::text::text[] AS common, s.most_common_freqs AS parts
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_stats AS s ON (s.schemaname, s.tablename, s.attname) = (n.nspname, c.relname, $2::name)
    WHERE c.oid = $1::regclass
), wanted AS (
    SELECT NULL AS tenant, row_count / tenants AS row_count FROM shard
    UNION ALL
    SELECT u.tenant, row_count * u.part FROM shard, ROWS FROM (pg_catalog.unnest(common), pg_catalog.unnest(parts)) AS u (tenant, part)
    WHERE u.part * tenants > 4
), numbers AS (
    SELECT w.tenant,
           (2 ^ pg_catalog.ceil(pg_catalog.log(2, greatest(1, w.row_count / greatest($3::float8, s.row_count / $4::float8))::numeric)))::bigint AS groups
    FROM wanted AS w CROSS JOIN shard AS s
)
SELECT pg_catalog.max(groups) FILTER (WHERE tenant IS NULL),
       coalesce(pg_catalog.array_agg(tenant ORDER BY tenant) FILTER (WHERE tenant IS NOT NULL), '{}'),
       coalesce(pg_catalog.array_agg(groups ORDER BY tenant) FILTER (WHERE tenant IS NOT NULL), '{}')
FROM numbers
