-- What would keep the keys of the tables $1 from getting their tenant columns ($2), and those of them that are
-- backfilled ($3) from that: object, problem, remedy.
WITH tab AS (
    SELECT t.oid, t.tenant, c.relkind,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[])) AS t(oid, tenant)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), key AS (
    SELECT x.indexrelid, x.indrelid, k.oid AS constraint, coalesce(k.contype, 'i') AS contype, tab.name,
           pg_catalog.quote_ident(i.relname) AS index
    FROM tab
    JOIN pg_catalog.pg_index x ON x.indrelid = tab.oid AND (x.indisunique OR x.indisexclusion)
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = tab.oid AND a.attname = tab.tenant AND NOT a.attisdropped
                        AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]))
)
SELECT tab.name, 'it has no primary key',
       'Add one: the backfill walks along it, and Citus wants it for moving rows that are being written.'
FROM tab
WHERE tab.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = tab.oid AND x.indisprimary)
UNION ALL
SELECT tab.name, 'it is partitioned', 'Its keys cannot be swapped without a long lock: this version does not do that.'
FROM tab WHERE tab.relkind = 'p'
UNION ALL
SELECT key.name, pg_catalog.concat('exclusion constraint ', key.index, ' does not hold the tenant'),
       'Citus cannot keep it: drop it, or make it anew with the tenant column WITH =.'
FROM key WHERE key.contype = 'x'
UNION ALL
SELECT key.name,
       pg_catalog.concat('foreign key ', pg_catalog.quote_ident(f.conname), ' of ', f.conrelid::regclass, ', which will not be distributed,'
                         ' refers to ', key.index),
       'Drop it: a table that is not distributed cannot refer to one that is.'
FROM key
JOIN pg_catalog.pg_constraint f ON f.contype = 'f' AND f.conindid = key.indexrelid AND f.confrelid = key.indrelid AND f.conparentid = 0
WHERE f.conrelid <> ALL ($1::oid[])
UNION ALL
SELECT DISTINCT key.name,
       pg_catalog.concat('view ', r.ev_class::regclass, ' groups by ', key.index, ', and selects what depends on it'),
       'Name all columns that it selects in its GROUP BY: the key will have one column more.'
FROM key
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.refobjid = key.constraint
                           AND d.classid = 'pg_catalog.pg_rewrite'::regclass
JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
UNION ALL
SELECT tab.name, pg_catalog.concat('foreign key ', pg_catalog.quote_ident(f.conname), ' is MATCH FULL'),
       'Make it anew without MATCH FULL: with the tenant among its columns, which is never NULL, none of them could be.'
FROM tab JOIN pg_catalog.pg_constraint f ON f.contype = 'f' AND f.conrelid = tab.oid AND f.confrelid = ANY ($1::oid[])
WHERE f.confmatchtype = 'f' AND pg_catalog.cardinality(f.conkey) > 1
UNION ALL
SELECT tab.name, pg_catalog.concat('foreign key ', pg_catalog.quote_ident(f.conname), ' sets its columns NULL or to their default ON DELETE'),
       'Before PostgreSQL 15 that would take the tenant away, too: make it anew with another action.'
FROM tab JOIN pg_catalog.pg_constraint f ON f.contype = 'f' AND f.conrelid = tab.oid AND f.confrelid = ANY ($1::oid[])
WHERE f.confdeltype IN ('n', 'd') AND pg_catalog.current_setting('server_version_num')::int < 150000
UNION ALL
-- Operators are taken from pg_catalog: those of an extension's type are not there. Enums and domains have theirs there.
SELECT DISTINCT tab.name,
       pg_catalog.concat('column ', pg_catalog.quote_ident(a.attname), ', which the backfill goes by, is of type ',
                         pg_catalog.format_type(a.atttypid, a.atttypmod)),
       'This version walks along PostgreSQL''s own types only: fill the tenant column by hand, and set it NOT NULL.'
FROM tab
JOIN pg_catalog.pg_constraint k ON k.conrelid = tab.oid
     AND (k.contype = 'p' OR (k.contype = 'f' AND k.confrelid = ANY ($1::oid[])))
JOIN pg_catalog.pg_attribute a ON a.attrelid = tab.oid AND a.attnum = ANY (k.conkey)
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE tab.oid = ANY ($3::oid[]) AND t.typtype = 'b' AND t.typnamespace <> 'pg_catalog'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute n
                  WHERE n.attrelid = tab.oid AND n.attname = tab.tenant AND n.attnotnull AND NOT n.attisdropped)
ORDER BY 1, 2
