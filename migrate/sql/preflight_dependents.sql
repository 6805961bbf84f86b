-- What depends on the tables in a way that does not survive: parameters and rows as in preflight_tables.
-- A table that is distributed concurrently is made anew, and the old one dropped CASCADE a while later.
WITH tab AS (
    SELECT t.oid, t.kind, t.tenant, t.online, c.reltype, y.typarray,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped) AS has_tenant
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type y ON y.oid = c.reltype
), dep AS (
    SELECT DISTINCT tab.name, d.classid, d.objid, CASE WHEN d.classid = 'pg_catalog.pg_class'::regclass THEN d.objsubid ELSE 0 END AS objsubid,
           d.refclassid = 'pg_catalog.pg_type'::regclass AS by_row_type
    FROM tab
    JOIN pg_catalog.pg_depend d ON (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = tab.oid)
                                OR (d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (tab.reltype, tab.typarray))
    WHERE d.deptype = 'n' AND tab.online
      AND NOT (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = tab.oid)
)
SELECT 'error', 'distributed', 'function-would-be-dropped', dep.name,
       pg_catalog.concat('function ', dep.objid::regprocedure, CASE WHEN dep.by_row_type THEN ' has its row type' ELSE ' is bound to it (BEGIN ATOMIC)' END),
       'Citus drops the old table CASCADE after distributing it concurrently, and the function with it.',
       CASE WHEN dep.by_row_type THEN 'Let the function be of type record or of a type of its own; or set method = blocking for the table.'
            ELSE 'Write the function''s body as a string; or set method = blocking for the table.' END
FROM dep WHERE dep.classid = 'pg_catalog.pg_proc'::regclass
UNION ALL
SELECT 'error', 'distributed', 'column-would-be-dropped', dep.name,
       pg_catalog.concat('column ', pg_catalog.quote_ident(a.attname), ' of ', a.attrelid::regclass, ' has its row type'),
       'Citus drops the old table CASCADE after distributing it concurrently, and the column with its data.',
       'Let the column be of a type of its own, or of jsonb; or set method = blocking for the table.'
FROM dep JOIN pg_catalog.pg_attribute a ON a.attrelid = dep.objid AND a.attnum = dep.objsubid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind NOT IN ('v', 'm')
WHERE dep.classid = 'pg_catalog.pg_class'::regclass AND dep.by_row_type
UNION ALL
SELECT 'error', 'distributed', 'rule-would-be-dropped', dep.name,
       pg_catalog.concat('rule ', pg_catalog.quote_ident(r.rulename), ' of ', r.ev_class::regclass, ' names it'),
       'Citus drops the old table CASCADE after distributing it concurrently, and the rule with it.',
       pg_catalog.concat('DROP RULE ', pg_catalog.quote_ident(r.rulename), ' ON ', r.ev_class::regclass,
                         ', and make it again afterwards; or set method = blocking for the table.')
FROM dep JOIN pg_catalog.pg_rewrite r ON r.oid = dep.objid
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind NOT IN ('v', 'm')
WHERE dep.classid = 'pg_catalog.pg_rewrite'::regclass AND dep.name <> r.ev_class::regclass::text
UNION ALL
SELECT 'error', 'distributed', 'policy-would-be-dropped', dep.name,
       pg_catalog.concat('policy ', pg_catalog.quote_ident(p.polname), ' of ', p.polrelid::regclass, ' names it'),
       'Citus drops the old table CASCADE after distributing it concurrently, and the policy with it: rows could show that it hides.',
       'Let the policy call a function instead; or set method = blocking for the table.'
FROM dep JOIN pg_catalog.pg_policy p ON p.oid = dep.objid
WHERE dep.classid = 'pg_catalog.pg_policy'::regclass AND dep.name <> p.polrelid::regclass::text
UNION ALL
SELECT 'error', 'distributed', 'object-would-be-dropped', dep.name,
       pg_catalog.concat(pg_catalog.pg_describe_object(dep.classid, dep.objid, dep.objsubid), ' depends on it'),
       'Citus drops the old table CASCADE after distributing it concurrently, and what depends on it.',
       'Set method = blocking for the table; or drop the object before, and make it again afterwards.'
FROM dep
WHERE dep.classid IN ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_cast'::regclass, 'pg_catalog.pg_operator'::regclass)
UNION ALL
SELECT 'warning', 'derive', 'function-of-row-type', tab.name,
       pg_catalog.concat('function ', p.oid::regprocedure, ' returns its row type'),
       'The row will have one column more: a body that lists the columns does not fit it any more.',
       'Let the body select the tenant column, too, as soon as it is there, or return a type of its own.'
FROM tab JOIN pg_catalog.pg_proc p ON p.prorettype IN (tab.reltype, tab.typarray)
WHERE tab.kind = 'backfill' AND NOT tab.has_tenant
UNION ALL
SELECT 'error', 'keyed', 'view-groups-by-key', tab.name,
       pg_catalog.concat('view ', r.ev_class::regclass, ' groups by ', pg_catalog.quote_ident(k.conname), ', and selects what depends on it'),
       'The key will have one column more, and cannot be swapped while a view needs it.',
       'Name all columns that it selects in its GROUP BY.'
FROM tab
JOIN pg_catalog.pg_constraint k ON k.conrelid = tab.oid AND k.contype IN ('p', 'u') AND tab.kind <> 'reference'
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.refobjid = k.oid
                           AND d.classid = 'pg_catalog.pg_rewrite'::regclass
JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = tab.oid AND a.attname = tab.tenant AND NOT a.attisdropped AND a.attnum = ANY (k.conkey))
GROUP BY tab.name, r.ev_class, k.conname
