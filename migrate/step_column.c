/* The tenant column: exactly the type of the tenant's key, nullable, so that adding it touches the catalog
 * alone. It takes ACCESS EXCLUSIVE for that moment. */
#include "migrate/step.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/column.h"
#include "migrate/lock.h"
#include "migrate/old_keys.h"
#include "migrate/pieces.h"
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
        texts[i] = query_keep(migration->arena, result, 0, i);
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
    made_record(table, MADE_COLUMN, table->tenant_column, out);
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

/* How far its backfill is goes with it: the next one begins anew. A column that was there before stays. */
static bool undo_pieces(const Table *table, Pieces *pieces, Error *err) {
    const Migration *migration = pieces->migration;
    const char **made;
    ColumnState state;
    Buf out = {0};
    int n;

    if (!made_read(migration, table, MADE_COLUMN, &made, &n, err) ||
        !column_read(migration, table, &state, err))
        return false;
    if (n == 0 && (migration->undoing || state.type))
        return true;
    buf_printf(&out, "ALTER TABLE %s DROP COLUMN IF EXISTS ", table_qualified_name(migration->arena, table));
    quote_identifier(&out, table->tenant_column);
    buf_append_cstr(&out, ";\nDELETE FROM shardferry.backfill WHERE (table_schema, table_name) = (");
    step_literal(&out, table->schema);
    buf_append_cstr(&out, ", ");
    step_literal(&out, table->name);
    buf_append_cstr(&out, ");\n");
    made_forget(table, MADE_COLUMN, table->tenant_column, &out);
    pieces_locking(pieces, "dropping the column", step_text(migration, &out));
    return true;
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    pieces_script(migration, table, undo_pieces, out);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return pieces_run(migration, table, undo_pieces, err);
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

const Step step_column = {
    .name = "column",
    .scope = STEP_EACH_BACKFILL,
    .why = "Citus needs the tenant in each row. The column is nullable at first, so that no row has to be "
           "written.",
    .lock = "ACCESS EXCLUSIVE on the table, for a moment; tried again where it is not had at once",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
