DO $compare$
DECLARE
    wanted_schema CONSTANT text := %s;
    wanted_name   CONSTANT text := %s;
    found text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%%s: %%s rows before, %%s after', coalesce('tenant ' || d.tenant, 'in all'),
                                                   coalesce(d.before, 0), coalesce(d.after, 0)), '; ')
    INTO found
    FROM (SELECT coalesce(b.tenant, a.tenant) AS tenant, b.row_count AS before, a.row_count AS after
          FROM (SELECT * FROM shardferry.checksum
                WHERE table_schema = wanted_schema AND table_name = wanted_name AND phase = 'before') AS b
          FULL JOIN (SELECT * FROM shardferry.checksum
                     WHERE table_schema = wanted_schema AND table_name = wanted_name AND phase = 'after') AS a
            ON coalesce('=' || a.tenant, '') = coalesce('=' || b.tenant, '')
          WHERE (b.row_count, b.checksum) IS DISTINCT FROM (a.row_count, a.checksum)
          ORDER BY 1 LIMIT 5) AS d;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'data_corrupted',
            MESSAGE = pg_catalog.format('the rows of %%I.%%I are not those from before it was distributed', wanted_schema, wanted_name),
            DETAIL = found,
            HINT = 'The transaction was rolled back: the table is as it was. Run it again; if it happens again, something changes '
                   'the rows as they are copied: look at the data types.';
    END IF;
    -- Of two equal sets one is enough.
    DELETE FROM shardferry.checksum
    WHERE table_schema = wanted_schema AND table_name = wanted_name AND phase = 'before' AND tenant IS NOT NULL;
END
$compare$;
