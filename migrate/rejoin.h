/* Foreign keys that were taken away while Citus distributed their tables, and that are to be there again. */
#ifndef MIGRATE_REJOIN_H
#define MIGRATE_REJOIN_H

#include "migrate/step.h"

/* How many of them are recorded in shardferry.detached_key. */
MUST_USE bool rejoin_pending(const Migration *migration, int *n, Error *err);

/* Adds those whose tables are ready, NOT VALID, so that no other orphan can be written, and validates them.
 * What cannot be validated stays as it is, and is said. `strict`: then it is an error (23503), which names
 * the rows of all of them, and so is a key whose tables are not ready (55000). */
MUST_USE bool rejoin_run(const Migration *migration, bool strict, Error *err);

/* Appends the same as a script. */
void rejoin_script(Buf *out);

#endif
