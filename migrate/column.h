/* The tenant column of a table, as it is and as it should be. */
#ifndef MIGRATE_COLUMN_H
#define MIGRATE_COLUMN_H

#include "migrate/step.h"

typedef struct ColumnState {
    const char *wanted;    /* the tenant key's type as SQL: "numeric(10,2)" */
    const char *collation; /* as SQL, where it is not the type's own; NULL */
    const char *type;      /* the column's type; NULL while there is none */
    bool same;             /* type, modifier and collation are the key's */
    bool generated;
    bool costly; /* the type is a domain that checks or fills: adding it writes the table anew */
} ColumnState;

/* Reads it; strings are in the migration's arena. */
MUST_USE bool column_read(const Migration *migration, const Table *table, ColumnState *state, Error *err);

#endif
