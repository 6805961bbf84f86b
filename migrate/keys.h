/* The keys that do not hold the tenant, and those that take their place.
 *
 * All is read from the catalog anew each time: where a runner was killed, and what was done by hand, shows
 * there. Nothing of it needs the tenant column to be there already: names and definitions are then those that
 * will be. */
#ifndef MIGRATE_KEYS_H
#define MIGRATE_KEYS_H

#include "migrate/step.h"

/* A unique index without the tenant. Names are as SQL where nothing else is said. */
typedef struct UniqueKey {
    const char *name;
    const char *constraint; /* NULL: a bare index */
    const char *type;       /* of the constraint: PRIMARY KEY or UNIQUE */
    const char *deferrable; /* what follows then: " DEFERRABLE"; "" */
    bool readable;          /* its definition could be taken apart */
    bool restored;          /* an undo has made it, and left it beside the one with the tenant */
    const char *build;      /* CREATE UNIQUE INDEX … of the one with the tenant */
    const char *next;       /* that one: as it is called, or will be */
    const char *next_qualified;
    bool has_next, next_valid;
    const char *build_plain; /* CREATE INDEX … of a plain one with the old columns */
    const char *plain_name;  /* of the one that this makes, as stored */
    const char *plain_qualified;
    bool has_plain, plain_valid;
    bool wants_plain;       /* rows are looked up by it */
    const char *tablespace; /* NULL: the default */
    /* To make it again: */
    const char *stored_name, *kind; /* as in shardferry.old_key */
    const char *definition;         /* USING … */
    const char *columns;            /* an array literal */
    const char *predicate;          /* NULL */
    const char *decoration; /* statements that give it, or what has its name, its comments and roles */
    const char *beside;     /* its name while it stands beside the one with the tenant again */
} UniqueKey;

/* A foreign key without the tenant. Names are as SQL where nothing else is said. */
typedef struct PairlessKey {
    const char *oid;
    uint32_t child_oid, parent_oid;
    const char *child, *parent; /* qualified */
    const char *name;
    bool restored;          /* an undo has made it, and left it beside the one with the tenant */
    const char *definition; /* of the one with the tenant */
    const char *next;       /* that one's name: as it is, or will be */
    bool has_next, next_valid;
    const char *next_own; /* its name as stored, if it is not one of the migration's; else NULL */
    /* To make it again: */
    const char *child_schema, *child_name, *stored_name; /* as stored */
    const char *old_definition;
    const char *decoration; /* statements that comment on it */
    const char *beside;     /* its name while it stands beside the one with the tenant again */
} PairlessKey;

/* Arrays are in the migration's arena. */
MUST_USE bool keys_unique(const Migration *migration, const Table *table, UniqueKey **keys, int *n,
                          Error *err);
/* Those of which `table` is the child, or, if it is NULL, of all tables. */
MUST_USE bool keys_foreign(const Migration *migration, const Table *table, PairlessKey **keys, int *n,
                           Error *err);

/* The foreign key by the tenant alone. The application must not feel that it is there: it is wanted where
 * those that lead from the table to the tenant say the same already, each of them validated and never
 * deferred, and it does to the rows of a tenant that is deleted what they do. Where ways to the tenant differ
 * in that, there is none: with NO ACTION, PostgreSQL looks before rows further down have gone. */
typedef struct TenantKey {
    const char *name; /* as SQL: as it is, or will be */
    const char *stored_name;
    bool wanted;
    bool cascades; /* ON DELETE CASCADE */
    bool exists, valid;
} TenantKey;
MUST_USE bool keys_tenant(const Migration *migration, const Table *table, TenantKey *key, Error *err);

#endif
