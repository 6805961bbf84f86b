DELETE FROM shardferry.proxy WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid
