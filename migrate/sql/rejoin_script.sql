-- Foreign keys that were taken away, where both of their tables are distributed by now.
SELECT pg_catalog.format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s NOT VALID', d.child_schema, d.child_table, d.name, d.definition)
FROM shardferry.detached_key d
JOIN pg_catalog.pg_dist_partition c ON c.logicalrelid = pg_catalog.format('%I.%I', d.child_schema, d.child_table)::regclass
JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = pg_catalog.format('%I.%I', d.parent_schema, d.parent_table)::regclass
WHERE (c.partmethod = 'h' AND (p.partmethod = 'h' OR p.repmodel = 't'))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint f
                  WHERE f.contype = 'f' AND f.conrelid = c.logicalrelid AND f.conname = d.name)
ORDER BY d.child_schema, d.child_table, d.name
\gexec
SELECT pg_catalog.format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', d.child_schema, d.child_table, d.name)
FROM shardferry.detached_key d
JOIN pg_catalog.pg_constraint f
  ON f.conrelid = pg_catalog.format('%I.%I', d.child_schema, d.child_table)::regclass AND f.conname = d.name AND f.contype = 'f'
WHERE d.validated AND NOT f.convalidated
ORDER BY d.child_schema, d.child_table, d.name
\gexec
SELECT pg_catalog.format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', d.name, d.child_schema, d.child_table, d.comment)
FROM shardferry.detached_key d
JOIN pg_catalog.pg_constraint f
  ON f.conrelid = pg_catalog.format('%I.%I', d.child_schema, d.child_table)::regclass AND f.conname = d.name AND f.contype = 'f'
WHERE d.comment IS NOT NULL
\gexec
DELETE FROM shardferry.detached_key d
USING pg_catalog.pg_constraint f
WHERE f.conrelid = pg_catalog.format('%I.%I', d.child_schema, d.child_table)::regclass AND f.conname = d.name AND f.contype = 'f'
  AND (f.convalidated OR NOT d.validated);
