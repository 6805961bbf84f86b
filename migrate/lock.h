/* Strong locks, taken without making others wait.
 *
 * Whoever waits for a strong lock makes everyone behind him wait, so each try is short and the pauses between
 * them are outside of any transaction. */
#ifndef MIGRATE_LOCK_H
#define MIGRATE_LOCK_H

#include "migrate/step.h"

/* Runs `sql`, statements that end with semicolons, in one transaction in which no lock is waited for longer
 * than a moment; tries again, for lock_wait in all, while somebody holds `table` or a deadlock was broken.
 * `what` is a phrase for messages ("adding the column"). False with `err`: 55P03 names who holds the table.
 */
MUST_USE bool lock_run(const Migration *migration, const Table *table, const char *what, const char *sql,
                       Error *err);

/* The same for statements that lock more than they name, all of `tables`. */
MUST_USE bool lock_run_all(const Migration *migration, const Table *const *tables, int ntables,
                           const char *what, const char *sql, Error *err);

/* Appends the same transaction as a script for people. */
void lock_script(const char *sql, Buf *out);

#endif
