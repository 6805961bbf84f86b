/* The guard of a table that is distributed while it is written.
 *
 * create_distributed_table_concurrently leaves the rows as they were when the writers went over, in the shard
 * of the Citus-local table that the table has been in between, and Citus drops that shard some seconds
 * later. From then on the distributed table is written. To compare the two, two things have to be known that
 * cannot be had afterwards:
 *   - the old shard. A guard holds a weak lock on it, so that it is not dropped, and moves it to schema
 *     shardferry, out of Citus's reach, as soon as the writers have gone over;
 *   - which rows have been changed since. Until the writers go over, a guard takes a snapshot on each node,
 *     again and again; what was committed behind the last one was written by the application, or arrived
 *     with the very last changes. All transactions of the application that write to the new shards commit
 *     behind it.
 * A guard is a session of its own on the server, and ends with the runner. A runner that is killed in the
 * moment between the end of the distribution and the move leaves nothing to compare with. */
#ifndef MIGRATE_GUARD_H
#define MIGRATE_GUARD_H

#include "migrate/step.h"

#define GUARD_APPLICATION_NAME "shardferry guard"

typedef struct Guard Guard;

/* Begins to guard a table; it may be Citus-local already, or become so. NULL with `err`. */
Guard *guard_open(const Migration *migration, const Table *table, Error *err) MUST_USE;

/* Ends it. If the table was `distributed`, its old shard is kept, and shardferry.switch says so; false with
 * `err` if that failed: the table is distributed then, but cannot be compared. */
MUST_USE bool guard_close(Guard *guard, bool distributed, Error *err);

#endif
