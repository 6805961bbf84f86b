-- What happens by itself when somebody writes to the tables: triggers, rules, publications, subscriptions. Parameters and rows
-- as in preflight_tables.
WITH tab AS (
    SELECT t.oid, t.kind, t.tenant, t.online, n.nspname, c.relname,
           pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname)) AS name,
           EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attname = t.tenant AND NOT a.attisdropped AND a.attnotnull) AS is_filled
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::bool[])) AS t(oid, kind, tenant, online)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), trig AS (
    SELECT g.tgrelid, pg_catalog.quote_ident(g.tgname) AS name, g.tgtype, g.tgenabled, g.tgattr
    FROM pg_catalog.pg_trigger g
    JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
    JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
    WHERE NOT g.tgisinternal AND n.nspname <> 'shardferry'
)
SELECT 'error', 'distributed', 'trigger', tab.name, pg_catalog.concat('trigger ', trig.name, ' fires on it'),
       'Citus distributes no table that has triggers, disabled ones included.',
       pg_catalog.concat('Let the application do what it does, and DROP TRIGGER ', trig.name, ' ON ', tab.name, ' before.')
FROM tab JOIN trig ON trig.tgrelid = tab.oid
UNION ALL
SELECT 'warning', 'keyed', 'trigger-fires-in-backfill', tab.name,
       pg_catalog.concat('trigger ', trig.name, ' fires on UPDATE'),
       'The backfill updates every row once, and the trigger does each time what it does: it may set the time of a change anew.',
       'Let it fire on UPDATE OF the columns that matter to it, or WHEN they have changed.'
FROM tab JOIN trig ON trig.tgrelid = tab.oid
WHERE tab.kind = 'backfill' AND NOT tab.is_filled AND trig.tgtype & 16 <> 0 AND trig.tgenabled IN ('O', 'A')
  AND (pg_catalog.cardinality(trig.tgattr::int2[]) = 0
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = tab.oid AND a.attname = tab.tenant AND a.attnum = ANY (trig.tgattr::int2[])))
UNION ALL
SELECT 'error', CASE WHEN tab.kind = 'backfill' AND NOT tab.is_filled AND r.ev_type = '2' THEN 'keyed' ELSE 'distributed' END, 'rule', tab.name,
       pg_catalog.concat('rule ', pg_catalog.quote_ident(r.rulename), ' rewrites its ',
                         CASE r.ev_type WHEN '2' THEN 'UPDATEs' WHEN '3' THEN 'INSERTs' ELSE 'DELETEs' END),
       CASE WHEN tab.kind = 'backfill' AND NOT tab.is_filled AND r.ev_type = '2' THEN 'The backfill would not update the rows that it means to.'
            ELSE 'Citus loses it when it distributes the table concurrently.' END,
       pg_catalog.concat('DROP RULE ', pg_catalog.quote_ident(r.rulename), ' ON ', tab.name, ', and let the application do what it does.')
FROM tab JOIN pg_catalog.pg_rewrite r ON r.ev_class = tab.oid AND r.ev_type <> '1'
WHERE tab.online OR (tab.kind = 'backfill' AND NOT tab.is_filled AND r.ev_type = '2')
UNION ALL
SELECT 'warning', 'distributed', 'publication', pg_catalog.concat('publication ', pg_catalog.quote_ident(p.pubname)),
       pg_catalog.concat('publishes ', pg_catalog.string_agg(tab.name, ', ' ORDER BY tab.name)),
       'The rows of a distributed table are written on the workers, and their changes do not arrive here any more.',
       'Let its subscribers be fed in another way before, or see citus.enable_change_data_capture.'
FROM tab JOIN pg_catalog.pg_publication_tables p ON p.schemaname = tab.nspname AND p.tablename = tab.relname
WHERE tab.kind <> 'reference' AND p.pubname !~ '^citus_shard_'
GROUP BY p.pubname
UNION ALL
SELECT 'error', 'distributed', 'subscription', tab.name,
       'a subscription writes to it', 'What it applies would go into the table''s empty shell, not into its shards.',
       'End the subscription before, or let something else write what it brings.'
FROM tab WHERE EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = tab.oid)
UNION ALL
SELECT 'warning', 'derive', 'subscription-bypasses-proxies', tab.name,
       'a subscription writes to it', 'Its rows come without a tenant, since they pass no proxy.',
       'Let the publisher send the tenant column, or set trigger = on in section [migration].'
FROM tab
WHERE tab.kind = 'backfill' AND EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = tab.oid)
UNION ALL
SELECT 'warning', 'distributed', 'logical-slot', pg_catalog.concat('replication slot ', pg_catalog.quote_ident(s.slot_name)),
       pg_catalog.concat('it decodes changes of this database (plugin ', s.plugin, ')'),
       'The rows of a distributed table are written on the workers, and their changes do not arrive here any more.',
       'Let its consumer be fed in another way before, or see citus.enable_change_data_capture.'
FROM pg_catalog.pg_replication_slots s
WHERE s.slot_type = 'logical' AND s.database = pg_catalog.current_database() AND s.slot_name !~ '^citus_shard_'
