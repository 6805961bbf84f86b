UPDATE shardferry.control
   SET paused = $1::pg_catalog.bool, changed = pg_catalog.clock_timestamp(), changed_by = $2
RETURNING true
