-- All schemas that a search_path may name.
SELECT nspname
  FROM pg_catalog.pg_namespace
 WHERE nspname !~ '^pg_(toast|temp)'
