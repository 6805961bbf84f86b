INSERT INTO shardferry.journal (step, object, event, detail) VALUES ($1, $2, $3, $4)
