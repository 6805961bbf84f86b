/* What every command that looks at a migration begins with: a direct connection, the catalog, the tables
 * concerned. */
#ifndef MIGRATE_MIGRATION_H
#define MIGRATE_MIGRATION_H

#include "migrate/step.h"

/* Connects, reads the catalog and selects the tables. `migration` is zero but for `to`, `out` and lock_wait.
 * With `lock` it takes the lock under which one migration runs at a time. False with `err`; closed then. */
MUST_USE bool migration_open(Migration *migration, const Config *config, bool lock, Error *err);
void migration_close(Migration *migration);

/* Reads the catalog anew and selects the tables again; pointers to the old ones stay valid, what they say
 * does not change. */
MUST_USE bool migration_reload(Migration *migration, Error *err);

#endif
