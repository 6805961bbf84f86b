INSERT INTO shardferry.backfill (table_schema, table_name) VALUES ($1, $2) ON CONFLICT DO NOTHING
