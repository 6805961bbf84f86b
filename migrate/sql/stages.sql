SELECT table_schema, table_name, stage FROM shardferry.stage
