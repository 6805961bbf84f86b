/* Keys on their way back: what each step's part of it is, as pieces. */
#ifndef MIGRATE_UNDO_KEYS_H
#define MIGRATE_UNDO_KEYS_H

#include "migrate/old_keys.h"
#include "migrate/pieces.h"

/* The old unique keys of a table are built again, beside those with the tenant, and the old foreign keys that
 * refer to it. */
MUST_USE bool undo_keys_beside(const Table *table, Pieces *pieces, Error *err);
/* The old foreign keys of a table get their names back, those with the tenant go. */
MUST_USE bool undo_keys_foreign(const Table *table, Pieces *pieces, Error *err);
/* The old unique keys of a table get their places back, those with the tenant go, and so do plain indexes. */
MUST_USE bool undo_keys_unique(const Table *table, Pieces *pieces, Error *err);

#endif
