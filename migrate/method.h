/* How a table is distributed: in one transaction with others while its writers wait, or concurrently. */
#ifndef MIGRATE_METHOD_H
#define MIGRATE_METHOD_H

#include "migrate/step.h"

typedef enum Method {
    METHOD_BLOCKING, /* create_distributed_table, several tables and their foreign keys in one transaction */
    METHOD_CONCURRENTLY, /* create_distributed_table_concurrently */
} Method;

const char *method_name(Method method) MUST_USE; /* "blocking", "concurrently", as in the configuration */

typedef struct MethodChoice {
    Method method;
    const char *why; /* a phrase, in the migration's arena */
    int64_t rows;    /* about */
    int64_t bytes;   /* of heap, TOAST and indexes */
    double writes;   /* rows a second, since the server's statistics began; < 0: nobody knows */
} MethodChoice;

/* As [table …] method says, else by size and by how often it is written. */
MUST_USE bool method_choose(const Migration *migration, const Table *table, MethodChoice *choice, Error *err);

#endif
