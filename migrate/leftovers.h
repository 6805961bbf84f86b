/* What runs that were broken off have left on the server.
 *
 * Most steps find by themselves what they left of their own table. What is here can stand in the way of
 * others, or is nobody's any more: a statement that goes on without its runner; what Citus made to split a
 * table; tables that are local to Citus although they are not to be distributed any more; indexes and
 * constraints that were not finished. */
#ifndef MIGRATE_LEFTOVERS_H
#define MIGRATE_LEFTOVERS_H

#include "migrate/step.h"

/* Waits for statements of earlier runners that go on without them, and in the end terminates them; said, with
 * who it is. The migration's lock is held. False with `err`: 55006 if one neither ends nor may be ended. */
MUST_USE bool leftovers_wait(const Migration *migration, Error *err);

typedef struct Leftover {
    const char *what; /* a phrase */
    const char *sql;  /* what removes it, one statement */
} Leftover;

/* Looks for all others. In the migration's arena; there is Citus. */
MUST_USE bool leftovers_find(const Migration *migration, Leftover **found, int *n, Error *err);

#endif
