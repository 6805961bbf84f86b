SELECT pg_catalog.concat(pg_catalog.quote_ident(table_schema), '.', pg_catalog.quote_ident(table_name)),
       kind, stage, tenant_column, since_epoch
FROM shardferry.stage
ORDER BY 1
