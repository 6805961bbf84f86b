-- Jobs of pg_cron in this database whose command writes to a table that gets the tenant column, or calls a function.
-- Parameters and rows as in preflight_tables.
SELECT 'warning', 'derive', 'cron-job', pg_catalog.concat('pg_cron job ', coalesce(pg_catalog.quote_literal(j.jobname), j.jobid::text)),
       pg_catalog.concat('it writes to ', pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname))),
       'What a job writes passes no proxy, and gets no tenant.',
       'Let its command set the tenant column; or set trigger = on in section [migration].'
FROM cron.job j
JOIN ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online) ON t.kind = 'backfill'
JOIN pg_catalog.pg_class c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE j.active AND j.database = pg_catalog.current_database()
  AND j.command ~* pg_catalog.concat('\m(insert\s+into|merge\s+into|copy)\s+(only\s+)?("?',
                                     pg_catalog.regexp_replace(n.nspname, '([^[:alnum:]_])', '\\\1', 'g'), '"?\s*\.\s*)?"?',
                                     pg_catalog.regexp_replace(c.relname, '([^[:alnum:]_])', '\\\1', 'g'), '"?($|[^\w"$.])')
