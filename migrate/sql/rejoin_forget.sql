DELETE FROM shardferry.detached_key WHERE child_schema = $1 AND child_table = $2 AND name = $3
