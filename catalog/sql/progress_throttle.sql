UPDATE shardferry.control
   SET rows_per_second = $1::pg_catalog.int8, changed = pg_catalog.clock_timestamp(), changed_by = $2
RETURNING true
