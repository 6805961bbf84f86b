/* The keys that do not hold the tenant, and those that take their place.
 *
 * All is read from the catalog anew each time: where a runner was killed, and what was done by hand, shows
 * there. */
#ifndef MIGRATE_KEYS_H
#define MIGRATE_KEYS_H

#include "migrate/step.h"

/* A unique index without the tenant. Names are as SQL. */
typedef struct UniqueKey {
    const char *name;
    const char *constraint; /* NULL: a bare index */
    const char *type;       /* of the constraint: PRIMARY KEY or UNIQUE */
    const char *deferrable; /* what follows then: " DEFERRABLE"; "" */
    bool replica_identity;
    bool readable;     /* its definition could be taken apart */
    const char *build; /* CREATE UNIQUE INDEX … of the one with the tenant */
    const char *next;  /* that one, if it is there; else NULL */
    const char *next_qualified;
    bool next_valid;
    const char *build_plain; /* CREATE INDEX … of a plain one with the old columns */
    const char *plain_qualified;
    bool has_plain, plain_valid;
} UniqueKey;

/* A foreign key without the tenant. Names are as SQL. */
typedef struct PairlessKey {
    const char *oid;
    uint32_t child_oid, parent_oid;
    const char *child, *parent; /* qualified */
    const char *name;
    const char *definition; /* of the one with the tenant */
    const char *next;       /* that one's name, if it is there; else NULL */
    bool next_valid;
} PairlessKey;

/* Arrays are in the migration's arena. */
MUST_USE bool keys_unique(const Migration *migration, const Table *table, UniqueKey **keys, int *n,
                          Error *err);
/* Those of which `table` is the child, or, if it is NULL, of all tables. */
MUST_USE bool keys_foreign(const Migration *migration, const Table *table, PairlessKey **keys, int *n,
                           Error *err);

/* The foreign key by the tenant alone: *name is NULL if there is none. Nor is there to be one for the tenant
 * table. */
MUST_USE bool keys_tenant(const Migration *migration, const Table *table, const char **name, bool *valid,
                          Error *err);

#endif
