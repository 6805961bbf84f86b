/* Looking for rows that break a rule: how many there are, and the keys of some. One query a rule, each in a
 * snapshot of its own; nothing is changed. */
#ifndef MIGRATE_VERIFY_H
#define MIGRATE_VERIFY_H

#include "migrate/step.h"

typedef struct VerifyFound {
    int64_t rows;
    const char *keys; /* of the first few, an array literal in the arena; "" if there are none */
} VerifyFound;

/* "p.x", in the arena. */
const char *verify_column(const Migration *migration, const char *prefix, const char *name) MUST_USE;

/* The query: those rows of `table`, as t, that fulfil `condition`; each beside its row of fk's parent, as p,
 * if there is one. `fk` may be NULL. `also` is an expression that is shown behind a row's key; NULL. */
const char *verify_sql(const Migration *migration, const Table *table, const ForeignKey *fk,
                       const char *condition, const char *also) MUST_USE;

/* The condition that a row refers to a parent that is not there. */
const char *verify_orphan(const Migration *migration, const ForeignKey *fk) MUST_USE;

MUST_USE bool verify_find(const Migration *migration, const char *sql, VerifyFound *found, Error *err);

#endif
