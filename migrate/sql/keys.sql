-- The unique indexes of a table ($1) without its tenant column ($2), each beside the one that is to take its place:
-- the same definition with the tenant in front, of no constraint. Definitions are compared as PostgreSQL prints them, behind
-- the parenthesis.
WITH tab AS (
    SELECT c.oid, a.attnum, pg_catalog.quote_ident(a.attname) AS tenant,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           pg_catalog.quote_ident(n.nspname) AS schema
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $2::text AND NOT a.attisdropped
    WHERE c.oid = $1::oid
), idx AS (
    SELECT x.indexrelid AS oid, pg_catalog.quote_ident(i.relname) AS name, x.indisunique, x.indisprimary,
           x.indisreplident, x.indisvalid AND x.indisready AS valid,
           tab.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]) AS has_tenant,
           k.conname, k.contype, coalesce(k.condeferrable, false) AS deferrable, coalesce(k.condeferred, false) AS deferred,
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
)
SELECT o.oid,
       o.name,
       pg_catalog.quote_ident(o.conname),
       CASE o.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END,
       CASE WHEN o.deferred THEN ' DEFERRABLE INITIALLY DEFERRED' WHEN o.deferrable THEN ' DEFERRABLE' ELSE '' END,
       o.indisreplident,
       o.readable,
       pg_catalog.concat('CREATE UNIQUE INDEX CONCURRENTLY shardferry_key_', o.oid, ' ON ', tab.name, ' USING ', o.method,
                         ' (', tab.tenant, ', ', o.tail),
       n.name,
       pg_catalog.concat(tab.schema, '.', n.name),
       n.valid,
       pg_catalog.concat('CREATE INDEX CONCURRENTLY ON ', tab.name, ' USING ', o.method, ' (', o.tail),
       pg_catalog.concat(tab.schema, '.', l.name),
       l.valid
FROM tab
JOIN idx o ON o.indisunique AND NOT o.has_tenant AND o.contype IS DISTINCT FROM 'x'
LEFT JOIN LATERAL (SELECT * FROM idx n WHERE n.indisunique AND n.conname IS NULL
                   AND n.method = o.method AND n.tail = pg_catalog.concat(tab.tenant, ', ', o.tail)
                   ORDER BY n.valid DESC, n.oid LIMIT 1) n ON true
LEFT JOIN LATERAL (SELECT * FROM idx l WHERE NOT l.indisunique AND l.method = o.method AND l.tail = o.tail
                   ORDER BY l.valid DESC, l.oid LIMIT 1) l ON true
ORDER BY o.indisprimary DESC, o.name
