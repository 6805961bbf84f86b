-- Whether a table ($1) has a constraint of a name ($2).
SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1::oid AND k.conname = $2::text)
