CREATE TEMP TABLE shardferry_differ ON COMMIT DROP AS
SELECT tenant, bucket
FROM pg_temp.shardferry_old_groups AS o FULL JOIN pg_temp.shardferry_new_groups AS n USING (tenant, bucket)
WHERE (o.row_count, o.checksum) IS DISTINCT FROM (n.row_count, n.checksum)
