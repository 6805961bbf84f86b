-- Foreign keys among the tables $1 that do not hold the tenant (their columns: $2), each beside the one that is to
-- take its place: the same pairs of columns with those of the tenant in front. The tenant's columns need not be there yet.
-- One whose name begins with shardferry_old_ is one that an undo has made and not put in its place.
WITH tab AS (
    SELECT c.oid, n.nspname, c.relname, a.attnum, pg_catalog.quote_ident(t.tenant) AS tenant,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[])) AS t(oid, tenant)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped
), fk AS (
    SELECT f.oid, f.conname, f.conrelid, f.confrelid, f.convalidated, f.confdeltype, f.confupdtype, f.condeferrable, f.condeferred,
           c.nspname, c.relname, c.name AS child, p.name AS parent, c.tenant AS child_tenant, p.tenant AS parent_tenant,
           (SELECT pg_catalog.array_agg(pg_catalog.concat(k.a, '=', k.b) ORDER BY pg_catalog.concat(k.a, '=', k.b))
            FROM ROWS FROM (pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey)) AS k(a, b)) AS pairs,
           pg_catalog.concat(c.attnum, '=', p.attnum) AS tenants,
           coalesce(p.attnum = ANY (f.confkey), false) AS by_tenant
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
       coalesce(pg_catalog.quote_ident(n.conname), pg_catalog.concat('shardferry_key_', o.oid)),
       n.oid IS NOT NULL,
       coalesce(n.convalidated, false),
       o.parent,
       o.nspname,
       o.relname,
       o.conname,
       pg_catalog.pg_get_constraintdef(o.oid),
       coalesce('COMMENT ON CONSTRAINT ' || pg_catalog.quote_ident(o.conname) || ' ON ' || o.child || ' IS '
                || pg_catalog.quote_literal(pg_catalog.obj_description(o.oid, 'pg_constraint')) || E';\n', ''),
       pg_catalog.starts_with(o.conname, 'shardferry_old_'),
       CASE WHEN n.oid IS NOT NULL AND NOT pg_catalog.starts_with(n.conname, 'shardferry_') THEN n.conname END,
       pg_catalog.concat('shardferry_old_', pg_catalog."left"(pg_catalog.md5(
           pg_catalog.concat_ws('.', o.nspname, o.relname, o.conname)), 16))
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
    SELECT n.oid, n.conname, n.convalidated FROM fk n
    WHERE n.conrelid = o.conrelid AND n.confrelid = o.confrelid AND n.oid <> o.oid AND n.pairs @> (o.pairs || o.tenants)
      AND pg_catalog.cardinality(n.pairs) = pg_catalog.cardinality(o.pairs) + 1
    ORDER BY n.convalidated DESC, n.oid LIMIT 1) n ON true
WHERE NOT o.pairs @> ARRAY[o.tenants] AND NOT o.by_tenant
ORDER BY o.child, o.conname
