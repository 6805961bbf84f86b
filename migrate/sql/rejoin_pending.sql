SELECT count(*) FROM shardferry.detached_key
