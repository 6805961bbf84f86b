/* Reading Citus's metadata. */
#include "migrate/citus.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/sql/citus_nodes.h"
#include "migrate/sql/citus_table.h"
#include "migrate/sql/citus_there.h"

bool citus_is_there(const Migration *migration, bool *there, Error *err) {
    PGresult *result = query_run(migration->conn, "looking for Citus", sql_citus_there, 0, NULL, err);

    if (!result)
        return false;
    *there = query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

static CitusKind kind_of(const char *name) {
    static const struct {
        const char *name;
        CitusKind kind;
    } kinds[] = {{"none", CITUS_NONE},
                 {"distributed", CITUS_DISTRIBUTED},
                 {"reference", CITUS_REFERENCE},
                 {"local", CITUS_LOCAL}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    }
    return CITUS_OTHER;
}

static bool read_table(const Migration *migration, const Table *table, CitusTable *found, Error *err) {
    const char *const params[] = {table->schema, table->name};
    PGresult *result =
        query_run(migration->conn, "asking Citus about a table", sql_citus_table, 2, params, err);

    if (!result)
        return false;
    if (PQntuples(result) == 0) {
        PQclear(result);
        return error_set(err, "42P01", "table %s is gone", table_qualified_name(migration->arena, table));
    }
    *found = (CitusTable){.oid = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10),
                          .kind = kind_of(PQgetvalue(result, 0, 1)),
                          .colocation = query_int(result, 0, 3),
                          .auto_converted = query_bool(result, 0, 4)};
    if (query_text(result, 0, 2))
        found->column = arena_strdup(migration->arena, PQgetvalue(result, 0, 2));
    PQclear(result);
    return true;
}

bool citus_table(const Migration *migration, const Table *table, CitusTable *found, Error *err) {
    bool there;

    *found = (CitusTable){.oid = table->oid, .kind = CITUS_NONE};
    return citus_is_there(migration, &there, err) && (!there || read_table(migration, table, found, err));
}

bool citus_distributed(const Migration *migration, int *rest, Error *err) {
    *rest = 0;
    for (int i = 0; i < migration->nall; i++) {
        CitusTable found;

        if (!citus_table(migration, migration->all[i], &found, err))
            return false;
        *rest += found.kind != CITUS_DISTRIBUTED;
    }
    return true;
}

bool citus_nodes(const Migration *migration, CitusNode **nodes, int *n, Error *err) {
    PGresult *result = query_run(migration->conn, "reading the nodes", sql_citus_nodes, 0, NULL, err);

    if (!result)
        return false;
    *n = PQntuples(result);
    *nodes = ARENA_ARRAY(migration->arena, CitusNode, *n + 1);
    for (int i = 0; i < *n; i++)
        (*nodes)[i] = (CitusNode){.host = arena_strdup(migration->arena, PQgetvalue(result, i, 0)),
                                  .port = (int)query_int(result, i, 1),
                                  .coordinator = query_bool(result, i, 2),
                                  .active = query_bool(result, i, 3),
                                  .has_shards = query_bool(result, i, 4)};
    PQclear(result);
    return true;
}
