-- Foreign keys among the tables $1 that do not hold the tenant (their columns: $2), each beside the one that is to
-- take its place: the same pairs of columns with those of the tenant in front.
WITH tab AS (
    SELECT c.oid, a.attnum, pg_catalog.quote_ident(a.attname) AS tenant,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[])) AS t(oid, tenant)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped
), fk AS (
    SELECT f.oid, f.conname, f.conrelid, f.confrelid, f.convalidated, f.confdeltype, f.confupdtype, f.condeferrable, f.condeferred,
           c.name AS child, p.name AS parent, c.tenant AS child_tenant, p.tenant AS parent_tenant,
           (SELECT pg_catalog.array_agg(pg_catalog.concat(k.a, '=', k.b) ORDER BY pg_catalog.concat(k.a, '=', k.b))
            FROM ROWS FROM (pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey)) AS k(a, b)) AS pairs,
           pg_catalog.concat(c.attnum, '=', p.attnum) AS tenants,
           p.attnum = ANY (f.confkey) AS by_tenant
    FROM pg_catalog.pg_constraint f
    JOIN tab c ON c.oid = f.conrelid
    JOIN tab p ON p.oid = f.confrelid
    WHERE f.contype = 'f' AND f.conparentid = 0
)
SELECT o.oid,
       o.conrelid,
       o.confrelid,
       o.child,
       pg_catalog.quote_ident(o.conname),
       pg_catalog.concat(
           'FOREIGN KEY (', o.child_tenant, ', ', ck.columns, ') REFERENCES ', o.parent, ' (', o.parent_tenant, ', ', pk.columns, ')',
           CASE o.confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE'
                WHEN 'n' THEN pg_catalog.concat(' ON DELETE SET NULL (', ck.columns, ')')
                WHEN 'd' THEN pg_catalog.concat(' ON DELETE SET DEFAULT (', ck.columns, ')') END,
           CASE o.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE'
                WHEN 'n' THEN ' ON UPDATE SET NULL' WHEN 'd' THEN ' ON UPDATE SET DEFAULT' END,
           CASE WHEN o.condeferrable THEN ' DEFERRABLE' END, CASE WHEN o.condeferred THEN ' INITIALLY DEFERRED' END),
       pg_catalog.quote_ident(n.conname),
       n.convalidated,
       o.parent
FROM fk o
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.i) AS columns
    FROM pg_catalog.pg_constraint f, pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k(attnum, i), pg_catalog.pg_attribute a
    WHERE f.oid = o.oid AND a.attrelid = f.conrelid AND a.attnum = k.attnum) ck
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.i) AS columns
    FROM pg_catalog.pg_constraint f, pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(attnum, i), pg_catalog.pg_attribute a
    WHERE f.oid = o.oid AND a.attrelid = f.confrelid AND a.attnum = k.attnum) pk
LEFT JOIN LATERAL (
    SELECT n.conname, n.convalidated FROM fk n
    WHERE n.conrelid = o.conrelid AND n.confrelid = o.confrelid AND n.oid <> o.oid AND n.pairs @> (o.pairs || o.tenants)
      AND pg_catalog.cardinality(n.pairs) = pg_catalog.cardinality(o.pairs) + 1
    ORDER BY n.convalidated DESC, n.oid LIMIT 1) n ON true
WHERE NOT o.pairs @> ARRAY[o.tenants] AND NOT o.by_tenant
ORDER BY o.child, o.conname
