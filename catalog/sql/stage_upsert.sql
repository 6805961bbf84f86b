INSERT INTO shardferry.stage (table_schema, table_name, stage, tenant_column, since_epoch, kind)
VALUES ($1, $2, $3, $4, $5::pg_catalog.int8, $6)
ON CONFLICT (table_schema, table_name) DO UPDATE
   SET stage = excluded.stage, tenant_column = excluded.tenant_column, since_epoch = excluded.since_epoch
