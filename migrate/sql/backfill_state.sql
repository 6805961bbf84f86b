SELECT last_key, rows_seen, rows_filled, finished IS NOT NULL, driver
FROM shardferry.backfill WHERE table_schema = $1 AND table_name = $2
