-- Whether the schema is there, and with it what an older version did not make.
SELECT pg_catalog.to_regclass('shardferry.epoch') IS NOT NULL,
       pg_catalog.to_regclass('shardferry.control') IS NOT NULL AND pg_catalog.to_regclass('shardferry.progress') IS NOT NULL
