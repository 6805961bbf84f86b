-- What depends on what an undo takes away: on keys with the tenant ($1: they go) and on tenant columns that the migration
-- has added ($2: they go). Rows: whether it stands in the way, rather than going as well; what it is; on what it depends.
WITH tab AS (
    SELECT c.oid, c.relname, n.nspname,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (SELECT s.table_schema, s.table_name FROM shardferry.stage s)
), own_foreign AS (
    SELECT k.oid
    FROM pg_catalog.pg_constraint k
    JOIN tab ON tab.oid = k.conrelid
    WHERE k.contype = 'f'
      AND (pg_catalog.starts_with(k.conname, 'shardferry_')
           OR EXISTS (SELECT FROM shardferry.old_key o WHERE o.kind = 'f'
                      AND (o.table_schema, o.table_name, o.name) = (tab.nspname, tab.relname, k.conname))
           OR EXISTS (SELECT FROM shardferry.made m WHERE m.kind = 'foreign key'
                      AND (m.table_schema, m.table_name, m.name) = (tab.nspname, tab.relname, k.conname)))
), own_index AS (
    SELECT x.indexrelid AS oid, x.indrelid, tab.name, k.oid AS conoid, coalesce(k.conname, i.relname) AS key
    FROM tab
    JOIN pg_catalog.pg_index x ON x.indrelid = tab.oid
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.oid AND k.conrelid = tab.oid AND k.contype IN ('p', 'u')
    WHERE pg_catalog.starts_with(i.relname, 'shardferry_key_')
       OR EXISTS (SELECT FROM shardferry.old_key o WHERE o.kind <> 'f'
                  AND (o.table_schema, o.table_name) = (tab.nspname, tab.relname) AND o.name IN (i.relname, k.conname))
       OR EXISTS (SELECT FROM shardferry.made m WHERE m.kind = 'index'
                  AND (m.table_schema, m.table_name, m.name) = (tab.nspname, tab.relname, i.relname))
), own_column AS (
    SELECT tab.oid, a.attnum, pg_catalog.concat(tab.name, '.', pg_catalog.quote_ident(a.attname)) AS name
    FROM tab
    JOIN shardferry.made m ON m.kind = 'column' AND (m.table_schema, m.table_name) = (tab.nspname, tab.relname)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = tab.oid AND a.attname = m.name AND NOT a.attisdropped
    WHERE $2::bool
), goes AS (
    SELECT 'pg_catalog.pg_class'::regclass AS classid, o.oid AS objid, 0 AS objsubid,
           pg_catalog.concat('key ', pg_catalog.quote_ident(o.key), ' of ', o.name) AS what
    FROM own_index o WHERE $1::bool
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass, o.conoid, 0,
           pg_catalog.concat('key ', pg_catalog.quote_ident(o.key), ' of ', o.name)
    FROM own_index o WHERE $1::bool AND o.conoid IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, c.oid, c.attnum, pg_catalog.concat('column ', c.name) FROM own_column c
)
SELECT DISTINCT true,
       CASE WHEN d.classid = 'pg_catalog.pg_rewrite'::regclass
            THEN (SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, r.ev_class, 0)
                  FROM pg_catalog.pg_rewrite r WHERE r.oid = d.objid)
            ELSE pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) END,
       g.what
FROM goes g
JOIN pg_catalog.pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid AND d.refobjsubid = g.objsubid
WHERE d.deptype = 'n'
  AND NOT (d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid IN (SELECT f.oid FROM own_foreign f))
  AND NOT (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid IN (SELECT o.oid FROM own_index o))
UNION
SELECT x.indisunique, pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, x.indexrelid, 0),
       pg_catalog.concat('column ', c.name)
FROM own_column c
JOIN pg_catalog.pg_index x ON x.indrelid = c.oid
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = x.indexrelid
     AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = c.attnum
WHERE x.indexrelid NOT IN (SELECT o.oid FROM own_index o)
UNION
SELECT true, pg_catalog.pg_describe_object('pg_catalog.pg_constraint'::regclass, k.oid, 0), pg_catalog.concat('column ', c.name)
FROM own_column c
JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND c.attnum = ANY (k.conkey)
WHERE (k.contype = 'f' AND k.oid NOT IN (SELECT f.oid FROM own_foreign f)
       OR k.contype = 'c' AND NOT pg_catalog.starts_with(k.conname, 'shardferry_')
       OR k.contype IN ('p', 'u', 'x') AND k.conindid NOT IN (SELECT o.oid FROM own_index o))
ORDER BY 1 DESC, 2, 3
