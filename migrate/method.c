/* Choosing between a short stop of a table's writers and a long copy beside them.
 *
 * create_distributed_table keeps writers waiting for the whole copy, about 4 µs a row, and keeps the foreign
 * keys. create_distributed_table_concurrently takes seconds for any table, stops writers for about one, and
 * its foreign keys are away meanwhile. So a table that is copied in less than that is better off with the
 * first, and so is a larger one that hardly anybody writes. */
#include "migrate/method.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/internal.h"
#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/backfill.h"
#include "migrate/sql/method.h"

/* Rows that are copied before anybody notices. */
#define ROWS_AT_ONCE 10000
/* Rows a second: a table that is written more often is not rarely written. */
#define RARELY 10.0

const char *method_name(Method method) { return method == METHOD_BLOCKING ? "blocking" : "concurrently"; }

/* What keeps create_distributed_table_concurrently from the table. Without Citus on the server nobody knows
 * yet. */
static const char *concurrent_problem(const Migration *migration, const PGresult *row) {
    if (!query_bool(row, 0, 3))
        return "it has neither a primary key nor a replica identity, so its changes cannot be replicated";
    if (!query_bool(row, 0, 7))
        return NULL;
    if (!query_bool(row, 0, 8))
        return "this version of Citus cannot distribute concurrently";
    if (strcmp(PQgetvalue(row, 0, 4), "logical") != 0)
        return arena_printf(migration->arena, "wal_level is %s, not logical", PQgetvalue(row, 0, 4));
    if (query_int(row, 0, 5) <= 0)
        return "no replication slot is free";
    if (strcmp(PQgetvalue(row, 0, 6), "1") != 0)
        return "citus.shard_replication_factor is not 1";
    return NULL;
}

static const char *rows_text(const Migration *migration, const MethodChoice *choice) {
    if (choice->writes < 0)
        return arena_printf(migration->arena, "about %" PRId64 " rows", choice->rows);
    return arena_printf(migration->arena, "about %" PRId64 " rows, of which %.*f are written a second",
                        choice->rows, choice->writes < 10 ? 1 : 0, choice->writes);
}

static void choose(const Migration *migration, const char *problem, MethodChoice *choice) {
    int most = migration->config->blocking_rows;
    const char *rows = rows_text(migration, choice);
    bool rarely = choice->writes >= 0 && choice->writes <= RARELY;

    if (problem) {
        choice->method = METHOD_BLOCKING;
        choice->why = arena_printf(migration->arena, "%s: %s", problem, rows);
    } else if (choice->rows > most) {
        choice->method = METHOD_CONCURRENTLY;
        choice->why = arena_printf(migration->arena, "%s, more than blocking_rows = %d", rows, most);
    } else if (choice->rows > ROWS_AT_ONCE && !rarely) {
        choice->method = METHOD_CONCURRENTLY;
        choice->why = arena_printf(migration->arena, "%s: too often to let them wait", rows);
    } else {
        choice->method = METHOD_BLOCKING;
        choice->why = arena_printf(migration->arena, "small: %s", rows);
    }
}

/* ---- what is configured ---- */

static const TableConfig *section_of(const Migration *migration, const Table *table) {
    const Config *config = migration->config;

    for (int i = 0; i < config->ntables; i++) {
        const TableConfig *section = &config->tables[i];

        if (section->method != CONF_METHOD_UNSET &&
            tenant_resolve(migration->snapshot, migration->arena, section->schema, section->table) == table)
            return section;
    }
    return NULL;
}

/* ---- reading ---- */

/* How many rows of the table the backfill has written. */
static bool read_backfilled(const Migration *migration, const Table *table, int64_t *rows, Error *err) {
    BackfillState state;
    bool exists;

    *rows = 0;
    if (!stage_schema_exists(migration->conn, &exists, err))
        return false;
    if (!exists || table->kind != KIND_BACKFILL)
        return true;
    if (!backfill_read(migration, table, &state, err))
        return false;
    *rows = state.filled;
    return true;
}

static PGresult *read_figures(const Migration *migration, const Table *table, Error *err) {
    const char *params[2];
    PGresult *result;
    int64_t backfilled;

    if (!read_backfilled(migration, table, &backfilled, err))
        return NULL;
    params[0] = arena_printf(migration->arena, "%" PRIu32, table->oid);
    params[1] = arena_printf(migration->arena, "%" PRId64, backfilled);
    result = query_run(migration->conn, "looking at a table's size", sql_method, 2, params, err);
    if (result && PQntuples(result) == 0) {
        PQclear(result);
        error_set(err, "42P01", "table %s is gone", table_qualified_name(migration->arena, table));
        return NULL;
    }
    return result;
}

bool method_choose(const Migration *migration, const Table *table, MethodChoice *choice, Error *err) {
    const TableConfig *section = section_of(migration, table);
    PGresult *figures = read_figures(migration, table, err);

    if (!figures)
        return false;
    *choice =
        (MethodChoice){.rows = query_int(figures, 0, 0),
                       .bytes = query_int(figures, 0, 1),
                       .writes = query_text(figures, 0, 2) ? strtod(PQgetvalue(figures, 0, 2), NULL) : -1};
    if (section) {
        choice->method = section->method == CONF_METHOD_BLOCKING ? METHOD_BLOCKING : METHOD_CONCURRENTLY;
        choice->why = arena_printf(migration->arena, "[table %s] method says so", section->written);
    } else {
        choose(migration, concurrent_problem(migration, figures), choice);
    }
    PQclear(figures);
    return true;
}
