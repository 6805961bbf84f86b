-- Foreign keys that the migration has dropped for the time that Citus distributes their tables, in the form of
-- load_foreign_keys.sql: rows still find their parents by them, and nobody else would say so. One that is there again may
-- not be validated again yet.
SELECT c.oid,
       p.oid,
       d.name,
       (SELECT pg_catalog.array_agg(a.attnum ORDER BY k.i)
          FROM pg_catalog.unnest(d.child_columns) WITH ORDINALITY AS k (name, i)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name),
       (SELECT pg_catalog.array_agg(a.attnum ORDER BY k.i)
          FROM pg_catalog.unnest(d.parent_columns) WITH ORDINALITY AS k (name, i)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = p.oid AND a.attname = k.name),
       d.validated,
       d.on_delete,
       d.on_update,
       d.definition ~ ' DEFERRABLE( INITIALLY DEFERRED)?$'
  FROM shardferry.detached_key d
  JOIN pg_catalog.pg_namespace cn ON cn.nspname = d.child_schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = cn.oid AND c.relname = d.child_table
  JOIN pg_catalog.pg_namespace pn ON pn.nspname = d.parent_schema
  JOIN pg_catalog.pg_class p ON p.relnamespace = pn.oid AND p.relname = d.parent_table
 ORDER BY c.oid, d.name
