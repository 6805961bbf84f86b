-- Whether anything was written down of what the migration changes.
SELECT pg_catalog.to_regclass('shardferry.old_key') IS NOT NULL AND pg_catalog.to_regclass('shardferry.made') IS NOT NULL
