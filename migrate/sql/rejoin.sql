-- The foreign keys that were taken away; each with what there is of it, whether its two tables can have it now, and
-- queries for the rows that have no parent: how many there are, and the keys of the first ones.
SELECT format('%I.%I', d.child_schema, d.child_table),
       quote_ident(d.name),
       format('%I.%I', d.parent_schema, d.parent_table),
       d.definition,
       d.validated,
       quote_literal(d.comment),
       f.oid IS NOT NULL,
       coalesce(f.convalidated, false),
       c.oid IS NOT NULL AND p.oid IS NOT NULL
           AND CASE
                   WHEN cd.logicalrelid IS NULL AND pd.logicalrelid IS NULL THEN true
                   WHEN cd.partmethod = 'h' AND pd.partmethod = 'h' THEN cd.colocationid = pd.colocationid
                   ELSE pd.partmethod = 'n' AND pd.repmodel = 't' AND coalesce(cd.partmethod = 'h' OR cd.repmodel = 't', true)
               END,
       c.oid IS NULL OR p.oid IS NULL,
       concat(' FROM ', format('%I.%I', d.child_schema, d.child_table), ' AS child WHERE ', o.filled,
              ' AND NOT EXISTS (SELECT 1 FROM ', format('%I.%I', d.parent_schema, d.parent_table), ' AS parent WHERE ', o.joined, ')'),
       coalesce((SELECT string_agg(concat('child.', quote_ident(a.attname)), ', ' ORDER BY k.i)
                 FROM pg_index x, unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, i), pg_attribute a
                 WHERE x.indrelid = c.oid AND x.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum AND k.i <= x.indnkeyatts),
                o.columns),
       d.child_schema,
       d.child_table,
       d.name
FROM shardferry.detached_key d
LEFT JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', d.child_schema, d.child_table))
LEFT JOIN pg_class p ON p.oid = to_regclass(format('%I.%I', d.parent_schema, d.parent_table))
LEFT JOIN pg_dist_partition cd ON cd.logicalrelid = c.oid
LEFT JOIN pg_dist_partition pd ON pd.logicalrelid = p.oid
LEFT JOIN pg_constraint f ON f.contype = 'f' AND f.conrelid = c.oid AND f.conname = d.name
CROSS JOIN LATERAL (
    SELECT string_agg(format('child.%I IS NOT NULL', k.child), ' AND ') AS filled,
           string_agg(format('parent.%I = child.%I', k.parent, k.child), ' AND ') AS joined,
           string_agg(format('child.%I', k.child), ', ') AS columns
    FROM ROWS FROM (unnest(d.child_columns), unnest(d.parent_columns)) AS k (child, parent)) o
ORDER BY d.child_schema, d.child_table, d.name
