-- What shardferry.old_key says of tables that are still there, and how far each key is on its way back: whether it is in
-- its place, whether another key has its name, whether it stands beside that one (under which name), and is valid.
SELECT o.table_schema,
       o.table_name,
       o.name,
       o.kind,
       o.definition,
       o.timing,
       o.predicate,
       o.tablespace,
       o.decoration,
       o.parent,
       o.successor,
       beside.name,
       coalesce(own.same, false),
       own.same IS FALSE,
       other.same IS NOT NULL,
       coalesce(other.same AND other.valid, false),
       (SELECT pg_catalog.string_agg(k.c, ', ' ORDER BY k.i) FROM pg_catalog.unnest(o.columns) WITH ORDINALITY AS k(c, i)),
       CASE WHEN o.definition LIKE '% NULLS NOT DISTINCT%' THEN 'true'
            ELSE (SELECT pg_catalog.string_agg(pg_catalog.concat('(', k.c, ') IS NOT NULL'), ' AND ' ORDER BY k.i)
                  FROM pg_catalog.unnest(o.columns) WITH ORDINALITY AS k(c, i)) END
FROM shardferry.old_key o
JOIN pg_catalog.pg_namespace n ON n.nspname = o.table_schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = o.table_name
CROSS JOIN LATERAL (
    SELECT pg_catalog.concat('shardferry_old_', pg_catalog."left"(pg_catalog.md5(
               pg_catalog.concat_ws('.', o.table_schema, o.table_name, o.name)), 16)) AS name) beside
LEFT JOIN LATERAL (
    SELECT k.conname AS name, k.convalidated OR pg_catalog.right(o.definition, 10) = ' NOT VALID' AS valid,
           pg_catalog.replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID', '')
               = pg_catalog.replace(o.definition, ' NOT VALID', '') AS same
    FROM pg_catalog.pg_constraint k
    WHERE o.kind = 'f' AND k.conrelid = c.oid AND k.contype = 'f' AND k.conname = o.name
    UNION ALL
    SELECT i.relname, x.indisvalid AND x.indisready,
           pg_catalog.pg_get_indexdef(i.oid) = pg_catalog.concat(
               'CREATE UNIQUE INDEX ', pg_catalog.quote_ident(i.relname), ' ON ', pg_catalog.quote_ident(n.nspname), '.',
               pg_catalog.quote_ident(c.relname), ' ', o.definition)
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    WHERE o.kind <> 'f' AND x.indrelid = c.oid AND i.relname = o.name) own ON true
LEFT JOIN LATERAL (
    SELECT k.conname AS name, k.convalidated OR pg_catalog.right(o.definition, 10) = ' NOT VALID' AS valid, true AS same
    FROM pg_catalog.pg_constraint k
    WHERE o.kind = 'f' AND k.conrelid = c.oid AND k.contype = 'f' AND k.conname = beside.name
    UNION ALL
    SELECT i.relname, x.indisvalid AND x.indisready,
           pg_catalog.pg_get_indexdef(i.oid) = pg_catalog.concat(
               'CREATE UNIQUE INDEX ', pg_catalog.quote_ident(i.relname), ' ON ', pg_catalog.quote_ident(n.nspname), '.',
               pg_catalog.quote_ident(c.relname), ' ', o.definition)
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    WHERE o.kind <> 'f' AND x.indrelid = c.oid AND i.relname = beside.name) other ON true
ORDER BY o.table_schema, o.table_name, o.kind = 'f', o.kind <> 'p', o.name
