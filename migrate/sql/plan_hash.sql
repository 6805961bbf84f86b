-- The function by which Citus hashes a value of column $2 of table $1: that of its type's default hash operators; no row
-- where there is none. A domain is hashed as its base type, varchar as text.
WITH RECURSIVE base AS (
    SELECT t.oid, t.typtype, t.typbasetype
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = $1::oid AND a.attname = $2::text AND NOT a.attisdropped
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT pg_catalog.format('%I.%I', n.nspname, f.proname), pg_catalog.format_type(c.opcintype, NULL)
FROM base b
JOIN pg_catalog.pg_opclass c
  ON c.opcintype = CASE b.oid WHEN 'pg_catalog.varchar'::regtype THEN 'pg_catalog.text'::regtype ELSE b.oid END
 AND c.opcdefault
JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod AND m.amname = 'hash'
JOIN pg_catalog.pg_amproc p
  ON p.amprocfamily = c.opcfamily AND p.amproclefttype = c.opcintype AND p.amprocrighttype = c.opcintype AND p.amprocnum = 1
JOIN pg_catalog.pg_proc f ON f.oid = p.amproc
JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
WHERE b.typtype <> 'd'
