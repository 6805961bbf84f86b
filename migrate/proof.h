/* The proof that a table distributed while it was written has lost nothing, gained nothing and changed
 * nothing by it.
 *
 * Its old shard (migrate/guard.h) is compared with the distributed table, which the application goes on
 * writing: first by the checksums of small groups of rows, then, in the groups that differ, row by row. A row
 * that is there and differs, or is new, is the application's doing if the transaction that wrote it was open
 * at the guard's last snapshot of its node, or came later. Of a row that is not there any more nothing is
 * left to look at: there may be as many as the shard's statistics count deletions (an update of the key
 * counts as one). What cannot be explained so is a mismatch: it is named by its keys, and the old shard
 * stays.
 *
 * So the limits are: what was brought by replication in the last tenth of a second before the writers went
 * over, or since the oldest transaction began that was open on its node then, is taken for the application's;
 * and a lost row passes for a deleted one where the application deleted rows of the same shard. No lock is
 * held, and no writer waits. It is two scans of the old shard and two of the table. */
#ifndef MIGRATE_PROOF_H
#define MIGRATE_PROOF_H

#include "migrate/step.h"

typedef struct Switch {
    bool seen; /* shardferry.switch knows the table */
    bool proved;
    const char *old_shard; /* as SQL, in the arena; NULL: there is none any more */
} Switch;

MUST_USE bool proof_read(const Migration *migration, const Table *table, Switch *found, Error *err);

/* Proves it, and takes down the checksums. XX001 with keys if there is a mismatch. */
MUST_USE bool proof_run(const Migration *migration, const Table *table, const char *old_shard, Error *err);

/* Drops the old shard of a table that has been proved. */
MUST_USE bool proof_drop(const Migration *migration, const Table *table, const char *old_shard, Error *err);

#endif
