-- The tenant column of a table ($1) beside the tenant's key ($2 = table, $3 = column): the key's type and collation as
-- SQL, the column's, and whether it can be what it should be.
SELECT pg_catalog.format_type(k.atttypid, k.atttypmod),
       CASE WHEN k.attcollation <> kt.typcollation
            THEN (SELECT pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.collname))
                  FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
                  WHERE c.oid = k.attcollation)
       END,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.atttypid = k.atttypid AND a.atttypmod = k.atttypmod AND a.attcollation = k.attcollation,
       coalesce(a.attgenerated <> '', false),
       kt.typtype = 'd' AND (kt.typnotnull OR kt.typdefault IS NOT NULL
           OR EXISTS (SELECT FROM pg_catalog.pg_constraint d WHERE d.contypid = kt.oid))
FROM pg_catalog.pg_attribute k
JOIN pg_catalog.pg_type kt ON kt.oid = k.atttypid
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid = $1::oid AND a.attname = $4::text AND NOT a.attisdropped AND a.attnum > 0
WHERE k.attrelid = $2::oid AND k.attname = $3::text AND NOT k.attisdropped
