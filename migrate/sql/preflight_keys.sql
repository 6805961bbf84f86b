-- What keeps keys from getting the tenant, and foreign keys that Citus cannot hold. Parameters and rows as in preflight_tables.
WITH tab AS (
    SELECT t.oid, t.kind, t.tenant, t.online, c.relkind,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           a.attnum, coalesce(a.attnotnull, false) AS is_filled
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped
), own AS (
    SELECT * FROM tab WHERE tab.kind <> 'reference'
), key AS (
    SELECT own.oid AS table, own.name, x.indexrelid, k.oid AS constraint, coalesce(k.contype, 'i') AS contype,
           pg_catalog.quote_ident(i.relname) AS index, x.indisprimary,
           own.attnum IS NOT NULL AND own.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]) AS has_tenant,
           k.conexclop[pg_catalog.array_position(k.conkey, own.attnum)] AS operator
    FROM own
    JOIN pg_catalog.pg_index x ON x.indrelid = own.oid AND (x.indisunique OR x.indisexclusion)
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
), fk AS (
    SELECT f.oid, f.conrelid, f.confrelid, f.conindid, f.conkey, f.confdeltype, f.confupdtype, f.confmatchtype,
           pg_catalog.quote_ident(f.conname) AS name,
           c.kind AS child_kind, p.kind AS parent_kind, c.attnum AS child_tenant,
           coalesce(c.name, f.conrelid::regclass::text) AS child, coalesce(p.name, f.confrelid::regclass::text) AS parent
    FROM pg_catalog.pg_constraint f
    LEFT JOIN tab c ON c.oid = f.conrelid
    LEFT JOIN tab p ON p.oid = f.confrelid
    WHERE f.contype = 'f' AND f.conparentid = 0 AND (c.oid IS NOT NULL OR p.oid IS NOT NULL)
), act AS (
    SELECT fk.*, p.phrase
    FROM fk
    CROSS JOIN LATERAL (VALUES (fk.confdeltype, 'DELETE'), (fk.confupdtype, 'UPDATE')) AS a(type, event)
    CROSS JOIN LATERAL (SELECT pg_catalog.concat('ON ', a.event, CASE a.type WHEN 'n' THEN ' SET NULL' WHEN 'd' THEN ' SET DEFAULT' ELSE ' CASCADE' END)
                        WHERE a.type IN ('n', 'd') OR (a.type = 'c' AND a.event = 'UPDATE')) AS p(phrase)
)
SELECT 'error', 'distributed', 'exclusion-without-tenant', key.name,
       pg_catalog.concat('exclusion constraint ', key.index, ' does not hold the tenant',
                         CASE WHEN key.has_tenant THEN ' WITH =' END),
       'Citus cannot keep it: what it excludes could lie in another shard.',
       'Drop it, or make it anew with the tenant column WITH =.'
FROM key
LEFT JOIN pg_catalog.pg_operator o ON o.oid = key.operator
WHERE key.contype = 'x' AND (NOT key.has_tenant OR o.oprname <> '=')
UNION ALL
SELECT 'warning', 'keyed', 'unique-per-tenant', key.name,
       pg_catalog.concat(CASE WHEN key.contype = 'u' THEN 'unique constraint ' ELSE 'unique index ' END, key.index, ' does not hold the tenant'),
       'It gets it, and is true in each tenant from then on, no longer of all of them together.',
       'If two tenants must not have the same value, let the application see to that.'
FROM key WHERE key.contype IN ('u', 'i') AND NOT key.indisprimary AND NOT key.has_tenant
UNION ALL
SELECT 'error', CASE WHEN key.has_tenant THEN 'distributed' ELSE 'keyed' END,
       CASE fk.child_kind WHEN 'reference' THEN 'foreign-key-from-reference' ELSE 'foreign-key-from-local' END, fk.parent,
       pg_catalog.concat('foreign key ', fk.name, ' of ', fk.child, ', which will ',
                         CASE fk.child_kind WHEN 'reference' THEN 'be a reference table' ELSE 'not be distributed' END, ', refers to ', key.index),
       CASE fk.child_kind WHEN 'reference' THEN 'A reference table cannot refer to one that is distributed.'
            ELSE 'A table that is not distributed cannot refer to one that is.' END,
       pg_catalog.concat('ALTER TABLE ', fk.child, ' DROP CONSTRAINT ', fk.name,
                         '; or let the table be distributed, too (tenant_from in its [table] section).')
FROM fk JOIN key ON key.table = fk.confrelid AND key.indexrelid = fk.conindid
WHERE fk.child_kind IS NULL OR fk.child_kind = 'reference'
UNION ALL
SELECT 'error', 'distributed', 'foreign-key-to-local', fk.child,
       pg_catalog.concat('foreign key ', fk.name, ' refers to ', fk.parent, ', which will be neither distributed nor a reference table'),
       'Citus keeps such a key neither on a distributed table nor on a reference table.',
       pg_catalog.concat('Give ', fk.parent, ' kind = reference; or ALTER TABLE ', fk.child, ' DROP CONSTRAINT ', fk.name, '.')
FROM fk WHERE fk.child_kind IS NOT NULL AND fk.parent_kind IS NULL
UNION ALL
SELECT 'error', CASE WHEN act.confdeltype IN ('n', 'd') AND pg_catalog.current_setting('server_version_num')::int < 150000 THEN 'keyed'
                     ELSE 'distributed' END,
       'foreign-key-action', act.child,
       pg_catalog.concat('foreign key ', act.name, ' is ', pg_catalog.string_agg(act.phrase, ' ' ORDER BY act.phrase)),
       'With the tenant among its columns, Citus takes neither that nor, before PostgreSQL 15, could it leave the tenant as it is.',
       pg_catalog.concat('Let the application do it: ALTER TABLE ', act.child, ' DROP CONSTRAINT ', act.name, ', and make it anew without.')
FROM act
WHERE act.child_kind <> 'reference'
  AND (act.parent_kind IN ('backfill', 'distributed') OR act.child_tenant = ANY (act.conkey))
GROUP BY act.child, act.name, act.confdeltype
UNION ALL
SELECT 'error', 'distributed', 'foreign-key-sets-sequence', act.child,
       pg_catalog.concat('foreign key ', act.name, ' sets a column to its default, which is of a sequence'),
       'Citus takes no such key.', 'Make it anew with another action.'
FROM act
WHERE act.phrase LIKE '%DEFAULT' AND act.child_kind IS NOT NULL AND act.parent_kind = 'reference'
  AND EXISTS (SELECT FROM pg_catalog.pg_attrdef d
              JOIN pg_catalog.pg_depend p ON p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                                         AND p.refclassid = 'pg_catalog.pg_class'::regclass
              JOIN pg_catalog.pg_class q ON q.oid = p.refobjid AND q.relkind = 'S'
              WHERE d.adrelid = act.conrelid AND d.adnum = ANY (act.conkey))
UNION ALL
SELECT 'error', 'keyed', 'match-full', fk.child, pg_catalog.concat('foreign key ', fk.name, ' is MATCH FULL'),
       'With the tenant among its columns, which is never NULL, none of the others could be.',
       'Make it anew without MATCH FULL.'
FROM fk
WHERE fk.confmatchtype = 'f' AND pg_catalog.cardinality(fk.conkey) > 1 AND fk.child_kind IN ('backfill', 'distributed')
  AND fk.parent_kind IN ('backfill', 'distributed')
  AND (fk.child_tenant IS NULL OR fk.child_tenant <> ALL (fk.conkey))
UNION ALL
-- Operators are taken from pg_catalog: those of an extension's type are not there. Enums and domains have theirs there.
SELECT DISTINCT 'error', 'keyed', 'key-of-foreign-type', own.name,
       pg_catalog.concat('column ', pg_catalog.quote_ident(a.attname), ', which the backfill goes by, is of type ',
                         pg_catalog.format_type(a.atttypid, a.atttypmod)),
       'This version walks along PostgreSQL''s own types only.',
       'Fill the tenant column by hand, and set it NOT NULL.'
FROM own
JOIN pg_catalog.pg_constraint k ON k.conrelid = own.oid
     AND (k.contype = 'p' OR (k.contype = 'f' AND EXISTS (SELECT FROM own p WHERE p.oid = k.confrelid)))
JOIN pg_catalog.pg_attribute a ON a.attrelid = own.oid AND a.attnum = ANY (k.conkey)
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE own.kind = 'backfill' AND NOT own.is_filled AND t.typtype = 'b' AND t.typnamespace <> 'pg_catalog'::regnamespace
UNION ALL
SELECT 'error', 'distributed', 'tenant-type-cannot-be-hashed', own.name,
       pg_catalog.concat('its tenant column would be of type ', pg_catalog.format_type(a.atttypid, a.atttypmod)),
       'Citus finds a row''s shard by the hash of its tenant, and the type has none.', 'Give the tenant table a key of another type.'
FROM own JOIN pg_catalog.pg_attribute a ON a.attrelid = own.oid AND a.attnum = own.attnum
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
                  WHERE m.amname = 'hash' AND o.opcdefault
                    AND (o.opcintype = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
                         OR (t.typtype = 'e' AND o.opcintype = 'anyenum'::regtype)
                         OR EXISTS (SELECT FROM pg_catalog.pg_cast s
                                    WHERE s.castsource = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
                                      AND s.casttarget = o.opcintype AND s.castmethod = 'b' AND s.castcontext = 'i')))
UNION ALL
SELECT 'error', 'distributed', 'tenant-scale', own.name, 'its tenant column has a negative scale',
       'Citus distributes by no such column.', 'Give the tenant table a key of another type.'
FROM own JOIN pg_catalog.pg_attribute a ON a.attrelid = own.oid AND a.attnum = own.attnum
WHERE a.atttypid = 'numeric'::regtype AND a.atttypmod > 0 AND ((a.atttypmod - 4) & 1024) <> 0
UNION ALL
SELECT 'error', 'distributed', 'tenant-collation', own.name, 'its tenant column has a collation that is not deterministic',
       'Citus distributes by no such column.', 'Give the tenant table''s key another collation.'
FROM own JOIN pg_catalog.pg_attribute a ON a.attrelid = own.oid AND a.attnum = own.attnum
JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation AND NOT c.collisdeterministic
