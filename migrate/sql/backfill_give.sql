UPDATE shardferry.backfill SET driver = $3 WHERE table_schema = $1 AND table_name = $2 AND driver <> $3
