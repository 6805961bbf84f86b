-- How large the tables $1 are on all nodes.
SELECT t.oid, citus_total_relation_size(t.oid::regclass, fail_on_error => false)
FROM pg_catalog.unnest($1::oid[]) AS t(oid)
