/* What Citus knows: whether it is there, its nodes, and what a table is to it.
 *
 * Read from the catalog anew each time, as the snapshot is older than what the step at hand has done. */
#ifndef MIGRATE_CITUS_H
#define MIGRATE_CITUS_H

#include "migrate/step.h"

/* Whether this database has the extension. */
MUST_USE bool citus_is_there(const Migration *migration, bool *there, Error *err);

typedef struct CitusTable {
    uint32_t oid;        /* as it is now: Citus gives a table another one when it takes it */
    CitusKind kind;      /* CITUS_NONE for a table that Citus does not know, or where there is no Citus */
    const char *column;  /* the distribution column; NULL where there is none */
    int64_t colocation;  /* the group of tables whose shards lie together; 0: none */
    bool auto_converted; /* CITUS_LOCAL because of a foreign key: undistributed when that goes */
} CitusTable;

/* The table as it is now, in the migration's arena; found by name. A table that is gone is an error. */
MUST_USE bool citus_table(const Migration *migration, const Table *table, CitusTable *found, Error *err);

/* Whether all of migration->all are distributed: *rest is how many are not. */
MUST_USE bool citus_distributed(const Migration *migration, int *rest, Error *err);

typedef struct CitusNode {
    const char *host;
    int port;
    bool coordinator;
    bool active;
    bool has_shards; /* may be given shards */
} CitusNode;

/* The primary nodes, the coordinator first where it is among them. In the migration's arena. */
MUST_USE bool citus_nodes(const Migration *migration, CitusNode **nodes, int *n, Error *err);

#endif
