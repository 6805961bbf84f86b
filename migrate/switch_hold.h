/* Holding new transactions while the writers of a table go over from one shard to many.
 *
 * At the end of create_distributed_table_concurrently Citus lets writers wait, a good second, and changes its
 * metadata. What has been planned before and goes on after: that is well with most statements, but COPY and
 * INSERT … SELECT fail then ("could not find valid entry for shard"). So they must not have begun. Nor
 * must a transaction that writes before and behind it: it could be taken for part of a distributed deadlock.
 * Shortly before that moment what begins a transaction is held at the proxies, until it is over; those of
 * writers would have to wait as long anyhow. */
#ifndef MIGRATE_SWITCH_HOLD_H
#define MIGRATE_SWITCH_HOLD_H

#include "migrate/step.h"

typedef struct SwitchHold SwitchHold;

/* Listens to the distribution of `table` that is about to begin on the migration's connection. Where it
 * cannot, or [migration] lock_hold is 0, nothing is held: NULL. */
SwitchHold *switch_hold_begin(const Migration *migration, const Table *table);

/* The distribution has ended, in whatever way. NULL is permitted. */
void switch_hold_end(SwitchHold *hold);

#endif
