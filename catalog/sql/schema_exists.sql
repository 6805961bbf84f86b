SELECT pg_catalog.to_regclass('shardferry.epoch') IS NOT NULL
