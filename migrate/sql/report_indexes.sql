-- Plain indexes of the tables $1 on what was a key before the tenant ($2, their columns' names) was added to it.
SELECT i.indexrelid::regclass::text
FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[])) AS t(relid, tenant)
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.relid AND a.attname = t.tenant
JOIN pg_catalog.pg_index i ON i.indrelid = t.relid AND NOT i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
WHERE EXISTS (SELECT FROM pg_catalog.pg_index u
              WHERE u.indrelid = t.relid AND u.indisunique AND a.attnum = ANY (u.indkey::int2[])
                AND pg_catalog.array_remove(u.indkey::int2[], a.attnum) @> i.indkey::int2[]
                AND pg_catalog.array_remove(u.indkey::int2[], a.attnum) <@ i.indkey::int2[])
ORDER BY 1
