-- The trigger that fills the tenant column of a table ($1), by its function ($2) with the body $3: whether there is
-- anything of it, and whether it is all there.
SELECT pg_catalog.count(*) > 0 OR pg_catalog.to_regproc($2::text) IS NOT NULL,
       pg_catalog.count(*) = 2 AND coalesce(pg_catalog.bool_and(g.tgenabled = 'A' AND f.prosrc = $3::text), false)
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid AND f.oid = pg_catalog.to_regproc($2::text)
WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal
