/* The tenant column: exactly the type of the tenant's key, nullable, so that adding it touches the catalog
 * alone.
 *
 * It takes ACCESS EXCLUSIVE for that moment. Whoever waits for such a lock makes everyone behind him wait, so
 * each try is short and the pauses between them are outside of any transaction. */
#include "migrate/step.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/column.h"
#include "migrate/session.h"
#include "migrate/sql/blockers.h"
#include "migrate/sql/column.h"

#define LOCK_TIMEOUT_MS 100
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000
#define SAY_EVERY_MS 10000

#define LOCK_NOT_AVAILABLE "55P03"
#define DEADLOCK_DETECTED "40P01"

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
    buf_printf(out, "BEGIN;\nSET LOCAL lock_timeout = '%dms';\nALTER TABLE %s ADD COLUMN ", LOCK_TIMEOUT_MS,
               table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " %s", state->wanted);
    if (state->collation)
        buf_printf(out, " COLLATE %s", state->collation);
    buf_append_cstr(out, ";\nCOMMIT;\n");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    ColumnState state;
    Error err;

    if (column_read(migration, table, &state, &err))
        append_alter(migration, table, &state, out);
    else
        buf_printf(out, "-- %s\n", err.message);
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

/* Who holds the table, in the arena; empty if nobody does any more. */
static bool read_blockers(const Migration *migration, const Table *table, const char **blockers, Error *err) {
    const char *oid = arena_printf(migration->arena, "%" PRIu32, table->oid);
    PGresult *result =
        query_run(migration->conn, "looking for who holds the table", sql_blockers, 1, &oid, err);
    Buf list = {0};

    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        buf_printf(&list, "%s%s", i ? "; " : "", PQgetvalue(result, i, 0));
    *blockers = arena_strndup(migration->arena, (const char *)buf_ptr(&list), buf_len(&list));
    buf_free(&list);
    PQclear(result);
    return true;
}

static bool try_once(const Migration *migration, const Table *table, bool *blocked, Error *err) {
    ColumnState state;
    Buf sql = {0};
    bool done;

    *blocked = false;
    if (!column_read(migration, table, &state, err))
        return false;
    append_alter(migration, table, &state, &sql);
    buf_append(&sql, "", 1);
    done = query_script(migration->conn, "adding the column", (const char *)buf_ptr(&sql), err);
    buf_free(&sql);
    if (done)
        return true;
    query_rollback(migration->conn);
    *blocked =
        strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 || strcmp(err->sqlstate, DEADLOCK_DETECTED) == 0;
    return false;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    int64_t start = session_clock(), said = start;
    const char *blockers = "";
    int pause = PAUSE_MIN_MS;
    bool blocked;

    for (int tries = 1; !try_once(migration, table, &blocked, err); tries++) {
        int64_t now = session_clock();
        const char *seen;

        if (!blocked)
            return false;
        if (!read_blockers(migration, table, &seen, err))
            return false;
        if (*seen)
            blockers = seen;
        if (now - start >= migration->lock_wait) {
            error_set(err, LOCK_NOT_AVAILABLE, "could not lock %s in %d tries within %d s",
                      table_qualified_name(migration->arena, table), tries, migration->lock_wait / 1000);
            if (*blockers)
                error_detail(err, "It is held by %s", blockers);
            return error_hint(err, "Run it again when they are done, or end them with pg_terminate_backend.");
        }
        if (now - said >= SAY_EVERY_MS && *blockers) {
            step_say(migration, "  waiting for a lock on %s, held by %s", table->name, blockers);
            said = now;
        }
        session_sleep(pause);
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
    return true;
}

const Step step_column = {.name = "column",
                          .per_table = true,
                          .describe = describe,
                          .script = script,
                          .undo = undo,
                          .check = check,
                          .run = run};
