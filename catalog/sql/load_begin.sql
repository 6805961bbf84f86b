-- Everything that a snapshot holds is read in one transaction, so that its parts fit each other. The search path
-- keeps the session's own names and operators out.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL DateStyle = ISO;
SET LOCAL quote_all_identifiers = off;
