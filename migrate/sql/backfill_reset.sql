DELETE FROM shardferry.backfill WHERE table_schema = $1 AND table_name = $2
