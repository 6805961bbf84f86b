-- Functions whose source writes to a table that gets the tenant column: a look at the text alone. Parameters and rows as in
-- preflight_tables.
WITH tab AS (
    SELECT pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           pg_catalog.concat('\m(insert\s+into|merge\s+into|copy)\s+(only\s+)?("?', q.schema, '"?\s*\.\s*)?"?', q.table, '"?($|[^\w"$.])') AS pattern,
           pg_catalog.lower(c.relname) AS folded
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT pg_catalog.regexp_replace(n.nspname, '([^[:alnum:]_])', '\\\1', 'g') AS schema,
                               pg_catalog.regexp_replace(c.relname, '([^[:alnum:]_])', '\\\1', 'g') AS table) q
    WHERE t.kind = 'backfill'
), func AS (
    SELECT p.oid, p.prosrc, pg_catalog.lower(p.prosrc) AS source
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE l.lanname IN ('plpgsql', 'sql') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'shardferry')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
)
SELECT 'warning', 'derive', 'function-writes', pg_catalog.concat('function ', func.oid::regprocedure),
       pg_catalog.concat('it seems to insert into ', pg_catalog.string_agg(tab.name, ', ' ORDER BY tab.name)),
       'What a function writes passes no proxy, and gets no tenant.',
       'shardferry lint --from functions says what it has to write instead; until then, trigger = on in section [migration] fills the column.'
FROM func
-- Looking for the name alone is fast, and nearly always enough.
JOIN tab ON CASE WHEN pg_catalog.strpos(func.source, tab.folded) > 0 THEN func.prosrc ~* tab.pattern END
GROUP BY func.oid
