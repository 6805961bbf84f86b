/* Waiting for transactions from before, as CREATE INDEX CONCURRENTLY does: one that wrote to a table while
 * its proxy added nothing may still commit rows without a tenant. When they are over, the backfill can see
 * every such row.
 *
 * Those that hold a writer's lock now are waited for, by virtual transaction; who begins later works by the
 * new epoch. */
#include "migrate/step.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/wait_settle.h"
#include "migrate/sql/writers.h"
#include "migrate/watch.h"

#define POLL_MS 50
#define SAY_AFTER_MS 2000
#define SAY_EVERY_MS 10000

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "wait until transactions that wrote before are over");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    Buf names = {0};

    (void)table;
    buf_append_cstr(&names, "ARRAY[");
    for (int i = 0; i < migration->ntables; i++) {
        buf_append_cstr(&names, i ? ", " : "");
        step_literal(&names, table_qualified_name(migration->arena, migration->tables[i]));
    }
    buf_append_cstr(&names, "]");
    buf_printf(out, sql_wait_settle, step_text(migration, &names));
}

/* Rows: virtual transaction, who it is. NULL with `err`. */
static PGresult *read_writers(const Migration *migration, Error *err) {
    SessionArray oids = {0};
    const char *param;
    char oid[16];
    PGresult *result;

    for (int i = 0; i < migration->snapshot->ntables; i++) {
        const Table *table = &migration->snapshot->tables[i];

        if (table->kind != KIND_BACKFILL)
            continue;
        snprintf(oid, sizeof(oid), "%" PRIu32, table->oid);
        session_array_add(&oids, oid);
    }
    param = session_array_text(&oids);
    result = query_run(migration->conn, "looking for writers", sql_writers, 1, &param, err);
    session_array_free(&oids);
    return result;
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    PGresult *result = read_writers(migration, err);

    (void)table;
    if (!result)
        return false;
    *done = PQntuples(result) == 0;
    PQclear(result);
    return true;
}

/* The row of the first of `before` that is still among `now`, in `now`; -1 if all are over. */
static int still_open(const PGresult *before, const PGresult *now) {
    for (int i = 0; i < PQntuples(before); i++) {
        for (int j = 0; j < PQntuples(now); j++) {
            if (strcmp(PQgetvalue(before, i, 0), PQgetvalue(now, j, 0)) == 0)
                return j;
        }
    }
    return -1;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    int64_t next = session_clock() + SAY_AFTER_MS;
    PGresult *before = read_writers(migration, err);
    bool done = false;

    (void)table;
    while (before && !done) {
        PGresult *now = read_writers(migration, err);
        int open;

        if (!now)
            break;
        open = still_open(before, now);
        done = open < 0;
        if (!done) {
            watch_waiting(migration, PQgetvalue(now, open, 1));
            if (session_clock() >= next) {
                step_say(migration, "  waiting for %s", PQgetvalue(now, open, 1));
                next = session_clock() + SAY_EVERY_MS;
            }
        }
        PQclear(now);
        if (!done && !watch_going(migration, err))
            break;
        if (!done)
            session_sleep(POLL_MS);
    }
    watch_waiting(migration, NULL);
    PQclear(before);
    return done;
}

const Step step_settle = {
    .name = "settle",
    .waits = true,
    .why =
        "A transaction from before may still commit rows without a tenant, which the backfill would not see.",
    .describe = describe,
    .script = script,
    .undo = step_no_sql,
    .check = check,
    .run = run};
