-- What is wrong with the tables themselves. Parameters of all the queries that look at tables: OIDs, kinds, tenant columns, and
-- whether each is to be distributed concurrently. Rows: severity, stage, code, object, what, why, remedy.
WITH tab AS (
    SELECT t.oid, t.kind, t.tenant, t.online, c.relkind, c.relpersistence, c.relreplident, c.relnatts, c.reloftype, c.relispartition,
           c.relrowsecurity, am.amname,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped) AS has_tenant,
           EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisprimary) AS has_primary_key,
           EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisreplident) AS has_replica_index
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
)
SELECT 'error', 'derive', 'typed-table', tab.name,
       pg_catalog.concat('it is a table of type ', tab.reloftype::regtype),
       'PostgreSQL adds no column to a typed table.',
       pg_catalog.concat('ALTER TABLE ', tab.name, ' NOT OF.')
FROM tab WHERE tab.reloftype <> 0 AND tab.kind = 'backfill' AND NOT tab.has_tenant
UNION ALL
SELECT 'error', 'derive', 'too-many-columns', tab.name, 'it has 1600 columns, dropped ones among them',
       'PostgreSQL adds no more than that.', 'Make the table anew with fewer columns.'
FROM tab WHERE tab.relnatts >= 1600 AND tab.kind = 'backfill' AND NOT tab.has_tenant
UNION ALL
SELECT 'error', 'keyed', 'no-primary-key', tab.name, 'it has no primary key',
       'The backfill walks along it, and Citus wants it for moving rows that are being written.',
       'Add one.'
FROM tab WHERE tab.relkind = 'r' AND tab.kind = 'backfill' AND NOT tab.has_primary_key
UNION ALL
SELECT 'error', 'distributed', 'no-replica-identity', tab.name,
       CASE WHEN tab.relreplident = 'n' THEN 'its replica identity is NOTHING' ELSE 'it has neither a primary key nor a replica identity' END,
       'While it is distributed concurrently, its UPDATEs and DELETEs would fail.',
       pg_catalog.concat('Add a primary key; or ALTER TABLE ', tab.name, ' REPLICA IDENTITY FULL; or set method = blocking for it.')
FROM tab
WHERE tab.relkind = 'r' AND tab.online
  AND (tab.relreplident = 'n' OR (tab.relreplident = 'i' AND NOT tab.has_replica_index)
       OR (tab.relreplident = 'd' AND NOT tab.has_primary_key AND tab.kind = 'distributed'))
UNION ALL
SELECT 'error', 'keyed', 'partitioned', tab.name, 'it is partitioned',
       'Its keys cannot be swapped without a long lock: this version does not do that.',
       'Leave it out (kind = local in its [table] section), or swap its keys by hand.'
FROM tab WHERE tab.relkind = 'p' AND tab.kind <> 'reference'
UNION ALL
SELECT 'error', 'distributed', 'inheritance', tab.name,
       CASE WHEN p.parent IS NOT NULL THEN pg_catalog.concat('it inherits from ', p.parent::regclass)
            ELSE pg_catalog.concat(p.child::regclass, ' inherits from it') END,
       'Citus distributes no tables with inheritance; partitions are another matter.',
       pg_catalog.concat('ALTER TABLE ', coalesce(p.child::regclass::text, tab.name), ' NO INHERIT ', coalesce(p.parent::regclass::text, tab.name), '.')
FROM tab
CROSS JOIN LATERAL (
    SELECT CASE WHEN i.inhrelid = tab.oid THEN i.inhparent END AS parent, CASE WHEN i.inhparent = tab.oid THEN i.inhrelid END AS child
    FROM pg_catalog.pg_inherits i WHERE (i.inhrelid = tab.oid AND NOT tab.relispartition) OR (i.inhparent = tab.oid AND tab.relkind = 'r')
    ORDER BY 1, 2 LIMIT 1) p
UNION ALL
SELECT 'error', 'distributed', 'unlogged', tab.name, 'it is unlogged',
       'What is written to it while it is distributed concurrently could not be followed.',
       pg_catalog.concat('ALTER TABLE ', tab.name, ' SET LOGGED, which writes it anew under a lock; or set method = blocking for it.')
FROM tab WHERE tab.relpersistence = 'u' AND tab.online
UNION ALL
SELECT 'error', CASE tab.kind WHEN 'backfill' THEN 'keyed' ELSE 'distributed' END, 'access-method', tab.name,
       pg_catalog.concat('its access method is ', tab.amname),
       'Its rows can be neither updated nor followed while they are written.',
       pg_catalog.concat('SELECT alter_table_set_access_method(''', tab.name, ''', ''heap'').')
FROM tab WHERE tab.amname = 'columnar' AND (tab.kind = 'backfill' OR tab.online)
UNION ALL
SELECT 'error', 'keyed', 'row-security', tab.name,
       pg_catalog.concat('its row security holds for role ', pg_catalog.quote_ident(current_user), ', too'),
       'Rows that a policy hides would get no tenant, and nobody would see it.',
       pg_catalog.concat('ALTER ROLE ', pg_catalog.quote_ident(current_user), ' BYPASSRLS; or ALTER TABLE ', tab.name,
                         ' NO FORCE ROW LEVEL SECURITY for its owner.')
FROM tab WHERE tab.kind <> 'reference' AND pg_catalog.row_security_active(tab.oid)
UNION ALL
SELECT 'error', 'distributed', 'policy-with-subquery', tab.name,
       pg_catalog.concat('policy ', pg_catalog.quote_ident(p.polname), ' has a subquery'),
       'Citus distributes no table with such a policy.', 'Write it without: as a function, or as a comparison with a setting.'
FROM tab JOIN pg_catalog.pg_policy p ON p.polrelid = tab.oid
WHERE p.polqual::text LIKE '%{SUBLINK %' OR p.polwithcheck::text LIKE '%{SUBLINK %'
UNION ALL
SELECT 'note', 'distributed', 'identity-restarts', tab.name,
       pg_catalog.concat('column ', pg_catalog.quote_ident(a.attname), ' is an identity column'),
       'When Citus distributes a table concurrently, its identity starts again.',
       'Nothing: the migration lets it go on where it stood.'
FROM tab JOIN pg_catalog.pg_attribute a ON a.attrelid = tab.oid AND a.attidentity <> '' AND NOT a.attisdropped
WHERE tab.online
UNION ALL
SELECT 'error', 'distributed', 'sequence-of-two-types', tab.name,
       pg_catalog.concat('sequence ', s.sequence::regclass, ' gives its column ', pg_catalog.quote_ident(s.attname), ' (', s.type::regtype,
                         ') values, and columns of another type elsewhere'),
       'Citus makes a sequence of its own type on each node, and refuses a second one.',
       'Give both columns the same type, or each its own sequence.'
FROM (SELECT tab.name, d.refobjid AS sequence, a.attname, a.atttypid AS type,
             pg_catalog.min(a.atttypid::int8) OVER by_sequence <> pg_catalog.max(a.atttypid::int8) OVER by_sequence AS differs
      FROM tab
      JOIN pg_catalog.pg_attrdef f ON f.adrelid = tab.oid
      JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
                                 AND d.refclassid = 'pg_catalog.pg_class'::regclass
      JOIN pg_catalog.pg_class q ON q.oid = d.refobjid AND q.relkind = 'S'
      WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
      WINDOW by_sequence AS (PARTITION BY d.refobjid)) s
JOIN tab ON tab.name = s.name
WHERE s.differs
UNION ALL
SELECT 'error', 'distributed', 'column-of-row-type', tab.name,
       pg_catalog.concat('column ', pg_catalog.quote_ident(a.attname), ' has the row type of ', y.typrelid::regclass),
       'Citus distributes a table only where the types of its columns can be made on every node.',
       'Let the column be of a type of its own (CREATE TYPE), or of jsonb.'
FROM tab
JOIN pg_catalog.pg_attribute a ON a.attrelid = tab.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type y ON y.oid = CASE WHEN t.typtype = 'c' THEN t.oid ELSE t.typelem END AND y.typtype = 'c'
JOIN pg_catalog.pg_class o ON o.oid = y.typrelid AND o.relkind <> 'c'
