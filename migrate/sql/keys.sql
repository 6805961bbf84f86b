-- The unique indexes of a table ($1) without its tenant column ($2), each beside the one that is to take its place:
-- the same definition with the tenant in front, of no constraint, made by a migration, or INVALID, whoever broke it off. One
-- that somebody else has made stays what it is. Definitions are compared as PostgreSQL prints them, behind the parenthesis. The
-- column need not be there yet.
--
-- An index whose name begins with shardferry_old_ is one that an undo has made and not put in its place: the key that
-- has it already, constraint or not, is what it stands beside.
WITH tab AS (
    SELECT c.oid, c.relname, n.nspname, a.attnum, pg_catalog.quote_ident($2::text) AS tenant,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           pg_catalog.quote_ident(n.nspname) AS schema
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $2::text AND NOT a.attisdropped
    WHERE c.oid = $1::oid
), idx AS (
    SELECT x.indexrelid AS oid, i.relname, pg_catalog.quote_ident(i.relname) AS name, x.indisunique, x.indisprimary,
           x.indisreplident, x.indisclustered, x.indisvalid AND x.indisready AS valid, x.indnkeyatts,
           coalesce(tab.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]), false) AS has_tenant,
           pg_catalog.starts_with(i.relname, 'shardferry_old_') AS restored,
           pg_catalog.pg_get_expr(x.indpred, x.indrelid) AS predicate,
           (SELECT pg_catalog.quote_ident(s.spcname) FROM pg_catalog.pg_tablespace s WHERE s.oid = i.reltablespace) AS tablespace,
           k.oid AS conoid, k.conname, k.contype,
           coalesce(k.condeferrable, false) AS deferrable, coalesce(k.condeferred, false) AS deferred,
           pg_catalog.substr(d.def, pg_catalog.length(p.prefix) + 1) AS tail,
           pg_catalog.quote_ident(am.amname) AS method,
           pg_catalog.starts_with(d.def, p.prefix) AS readable
    FROM tab
    JOIN pg_catalog.pg_index x ON x.indrelid = tab.oid
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_am am ON am.oid = i.relam
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.oid AND k.conrelid = tab.oid AND k.contype IN ('p', 'u', 'x')
    CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_indexdef(i.oid) AS def) d
    CROSS JOIN LATERAL (SELECT pg_catalog.concat('CREATE ', CASE WHEN x.indisunique THEN 'UNIQUE ' END, 'INDEX ',
                                                 pg_catalog.quote_ident(i.relname), ' ON ', tab.name, ' USING ',
                                                 pg_catalog.quote_ident(am.amname), ' (') AS prefix) p
), named AS (
    -- What a plain index on a key's columns would be called by PostgreSQL, as far as it may be that long.
    SELECT x.indexrelid AS oid, x.indrelid, c.relnamespace, x.indisprimary,
           pg_catalog.concat(c.relname, '_', (
               SELECT pg_catalog.string_agg(coalesce(a.attname, 'expr'), '_' ORDER BY k.i)
               FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, i)
               LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum > 0
               WHERE k.i <= x.indnkeyatts)) AS base
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
    WHERE x.indisunique AND c.relnamespace = (SELECT t.relnamespace FROM pg_catalog.pg_class t WHERE t.oid = $1::oid)
)
SELECT o.oid,
       o.name,
       pg_catalog.quote_ident(o.conname),
       CASE o.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END,
       CASE WHEN o.deferred THEN ' DEFERRABLE INITIALLY DEFERRED' WHEN o.deferrable THEN ' DEFERRABLE' ELSE '' END,
       o.readable,
       pg_catalog.concat('CREATE UNIQUE INDEX CONCURRENTLY ', made.name, ' ON ', tab.name, ' USING ', o.method,
                         ' (', tab.tenant, ', ', o.tail),
       coalesce(n.name, made.name),
       pg_catalog.concat(tab.schema, '.', coalesce(n.name, made.name)),
       n.oid IS NOT NULL,
       coalesce(n.valid, false),
       pg_catalog.concat('CREATE INDEX CONCURRENTLY ', pg_catalog.quote_ident(plain.name), ' ON ', tab.name, ' USING ', o.method,
                         ' (', o.tail),
       plain.name,
       pg_catalog.concat(tab.schema, '.', coalesce(l.name, pg_catalog.quote_ident(plain.name))),
       l.oid IS NOT NULL,
       coalesce(l.valid, false),
       o.indisprimary OR EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.conindid = o.oid),
       o.tablespace,
       coalesce(o.conname, o.relname),
       coalesce(o.contype::text, 'i'),
       pg_catalog.concat('USING ', o.method, ' (', o.tail),
       o.predicate,
       (SELECT pg_catalog.array_agg(pg_catalog.pg_get_indexdef(o.oid, i, false) ORDER BY i)
        FROM pg_catalog.generate_series(1, o.indnkeyatts) AS i),
       pg_catalog.concat(
           E'COMMENT ON CONSTRAINT ' || pg_catalog.quote_ident(o.conname) || ' ON ' || tab.name || ' IS '
               || pg_catalog.quote_literal(pg_catalog.obj_description(o.conoid, 'pg_constraint')) || E';\n',
           'COMMENT ON INDEX ' || tab.schema || '.' || o.name || ' IS '
               || pg_catalog.quote_literal(pg_catalog.obj_description(o.oid, 'pg_class')) || E';\n',
           CASE WHEN o.indisclustered THEN 'ALTER TABLE ' || tab.name || ' CLUSTER ON ' || o.name || E';\n' END,
           CASE WHEN o.indisreplident
                THEN 'ALTER TABLE ' || tab.name || ' REPLICA IDENTITY USING INDEX ' || o.name || E';\n' END),
       o.restored,
       pg_catalog.concat('shardferry_old_', pg_catalog."left"(pg_catalog.md5(
           pg_catalog.concat_ws('.', tab.nspname, tab.relname, coalesce(o.conname, o.relname))), 16))
FROM tab
JOIN idx o ON o.indisunique AND NOT o.has_tenant AND o.contype IS DISTINCT FROM 'x'
JOIN named m ON m.oid = o.oid
CROSS JOIN LATERAL (SELECT pg_catalog.concat('shardferry_key_', o.oid) AS name) made
LEFT JOIN LATERAL (SELECT * FROM idx n WHERE n.indisunique
                   AND (o.restored OR n.conname IS NULL
                        AND (NOT n.valid OR pg_catalog.starts_with(n.relname, 'shardferry_key_')))
                   AND n.method = o.method AND n.tail = pg_catalog.concat(tab.tenant, ', ', o.tail)
                   ORDER BY n.valid DESC, n.oid LIMIT 1) n ON true
LEFT JOIN LATERAL (SELECT * FROM idx l WHERE NOT l.indisunique AND l.method = o.method AND l.tail = o.tail
                   ORDER BY l.valid DESC, l.oid LIMIT 1) l ON true
CROSS JOIN LATERAL (
    -- Another one where that name is too long, is taken, or another key's index would have it, too.
    SELECT CASE WHEN pg_catalog.octet_length(m.base) <= 59
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                                 WHERE c.relnamespace = m.relnamespace AND c.relname = pg_catalog.concat(m.base, '_idx')
                                   AND c.oid IS DISTINCT FROM l.oid)
                 AND NOT EXISTS (SELECT FROM named t WHERE t.base = m.base AND t.indrelid <> m.indrelid)
                THEN pg_catalog.concat(m.base, '_idx')
                ELSE pg_catalog.concat(pg_catalog."left"(m.base, 10), '_',
                                       pg_catalog."left"(pg_catalog.md5(pg_catalog.concat(tab.name, m.base)), 12), '_idx') END AS name
) plain
ORDER BY o.indisprimary DESC, o.name
