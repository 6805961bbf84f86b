-- How many groups there are, how many of them differ, and how many rows those have by now.
SELECT (SELECT pg_catalog.count(*) FROM pg_temp.shardferry_new_groups),
       (SELECT pg_catalog.count(*) FROM pg_temp.shardferry_differ),
       (SELECT pg_catalog.count(*) FROM pg_temp.shardferry_new_rows)
