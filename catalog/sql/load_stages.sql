-- The epoch, and with each stage the table that it is of; one row without a table where there are no stages.
SELECT e.epoch,
       s.table_schema,
       s.table_name,
       s.stage,
       s.tenant_column,
       s.kind
  FROM shardferry.epoch e
  LEFT JOIN shardferry.stage s ON true
