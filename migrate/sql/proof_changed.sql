-- Of a row that is there more often than once, without a primary key, there may be less or more than before.
CREATE TEMP TABLE shardferry_changed ON COMMIT DROP AS
SELECT tenant, key, n.xid,
       CASE WHEN coalesce(n.times, 0) < coalesce(o.times, 0) THEN 'missing'
            WHEN coalesce(n.times, 0) > coalesce(o.times, 0) THEN 'added'
            ELSE 'changed' END AS what
FROM pg_temp.shardferry_old_rows AS o FULL JOIN pg_temp.shardferry_new_rows AS n USING (tenant, key)
WHERE o.hash IS DISTINCT FROM n.hash
