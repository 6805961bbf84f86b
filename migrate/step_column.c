/* The tenant column: exactly the type of the tenant's key, nullable, so that adding it touches the catalog
 * alone. It takes ACCESS EXCLUSIVE for that moment. */
#include "migrate/step.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/column.h"
#include "migrate/lock.h"
#include "migrate/sql/column.h"

bool column_read(const Migration *migration, const Table *table, ColumnState *state, Error *err) {
    const Table *tenant = migration->snapshot->tenant_table;
    const char *params[] = {arena_printf(migration->arena, "%" PRIu32, table->oid),
                            arena_printf(migration->arena, "%" PRIu32, tenant->oid), tenant->tenant_column,
                            table->tenant_column};
    PGresult *result = query_run(migration->conn, "reading the tenant column", sql_column, 4, params, err);
    const char *texts[3];

    if (!result)
        return false;
    if (PQntuples(result) != 1) {
        PQclear(result);
        return error_set(err, "42703", "%s.%s has been dropped meanwhile", tenant->name,
                         tenant->tenant_column);
    }
    for (int i = 0; i < 3; i++)
        texts[i] =
            PQgetisnull(result, 0, i) ? NULL : arena_strdup(migration->arena, PQgetvalue(result, 0, i));
    *state = (ColumnState){.wanted = texts[0],
                           .collation = texts[1],
                           .type = texts[2],
                           .same = PQgetvalue(result, 0, 3)[0] == 't',
                           .generated = PQgetvalue(result, 0, 4)[0] == 't',
                           .costly = PQgetvalue(result, 0, 5)[0] == 't'};
    PQclear(result);
    return true;
}

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out, "add column ");
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " to %s", table_qualified_name(migration->arena, table));
}

static void append_alter(const Migration *migration, const Table *table, const ColumnState *state, Buf *out) {
    buf_printf(out, "ALTER TABLE %s ADD COLUMN ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " %s", state->wanted);
    if (state->collation)
        buf_printf(out, " COLLATE %s", state->collation);
    buf_append_cstr(out, ";\n");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    ColumnState state;
    Buf sql = {0};
    Error err;

    if (!column_read(migration, table, &state, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    append_alter(migration, table, &state, &sql);
    lock_script(step_text(migration, &sql), out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "ALTER TABLE %s DROP COLUMN ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
    buf_append_cstr(out, ";\n");
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    ColumnState state;

    if (!column_read(migration, table, &state, err))
        return false;
    *done = state.type != NULL;
    if (*done && !state.same)
        return error_set(err, "42804", "%s.%s is %s, but the tenant's key is %s", table->name,
                         table->tenant_column, state.type, state.wanted);
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    ColumnState state;
    Buf sql = {0};

    if (!column_read(migration, table, &state, err))
        return false;
    append_alter(migration, table, &state, &sql);
    return lock_run(migration, table, "adding the column", step_text(migration, &sql), err);
}

const Step step_column = {.name = "column",
                          .scope = STEP_EACH_BACKFILL,
                          .describe = describe,
                          .script = script,
                          .undo = undo,
                          .check = check,
                          .run = run};
