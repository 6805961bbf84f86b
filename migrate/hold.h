/* Holding new transactions at the proxies, so that a strong lock is had at once instead of after many tries.
 */
#ifndef MIGRATE_HOLD_H
#define MIGRATE_HOLD_H

#include "migrate/step.h"

/* Asks all proxies to hold statements that would begin a transaction and touch one of the tables, from now on
 * until hold_end, but never longer than [migration] lock_hold; transactions that are open go on. Returns when
 * they have had a moment to begin; an answer is not waited for: whoever does not hold only makes the lock
 * harder to get. */
void hold_begin(const Migration *migration, const Table *const *tables, int ntables);
void hold_end(const Migration *migration);

#endif
