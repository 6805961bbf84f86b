/* Backfill, batch by batch.
 *
 * A batch that meets a locked row gives up after a moment, as it holds locks that others wait for by then,
 * and is tried again, smaller. Now and then the table is vacuumed: each row that is filled leaves its old
 * self behind, and those that follow are to find their room there. */
#include "migrate/backfill.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/cron.h"
#include "migrate/pace.h"
#include "migrate/session.h"
#include "migrate/sql/backfill_begin.h"
#include "migrate/watch.h"

#define LOCK_PAUSE_MS 100
/* The table is vacuumed when a tenth of it has been filled, but not for a few rows: so it grows by a tenth.
 */
#define VACUUM_PARTS 10
#define VACUUM_ROWS 50000

#define LOCK_NOT_AVAILABLE "55P03"
#define DEADLOCK_DETECTED "40P01"

/* A batch must find its rows by their keys, whatever the statistics say; nor may it wait for long in the
 * possession of locks. */
static const char SESSION[] =
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; "
    "SET lock_timeout = '100ms'; SET vacuum_cost_delay = '1ms'; SET client_min_messages = error";
static const char SESSION_OVER[] =
    "RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_seqscan; SET lock_timeout = '10s'; "
    "RESET vacuum_cost_delay; SET client_min_messages = warning";

typedef struct Walk {
    const Migration *migration;
    const Table *table;
    BackfillState state;
    PGresult *last; /* of the last batch: what the state points into */
    Pace pace;
    const char *first_sql, *next_sql;
    int64_t vacuumed; /* rows that were filled by then */
} Walk;

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out, "fill ");
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " in %s", table_qualified_name(migration->arena, table));
}

#define SCRIPT_ROWS "1000"

/* The same walk as a block that commits after each batch. */
static void append_walk(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out,
                    "DO $walk$\nDECLARE cursor_key text[]; seen bigint; filled bigint; over boolean;\nBEGIN\n"
                    "SELECT last_key, finished IS NOT NULL INTO cursor_key, over FROM shardferry.backfill"
                    " WHERE table_schema = ");
    step_literal(out, table->schema);
    buf_append_cstr(out, " AND table_name = ");
    step_literal(out, table->name);
    buf_printf(
        out, ";\nIF cursor_key IS NULL AND NOT over THEN\n%s INTO cursor_key, seen, filled, over;\nCOMMIT;\n",
        backfill_sql(migration, table, &(BackfillBatch){.rows = SCRIPT_ROWS}));
    buf_printf(out,
               "END IF;\nWHILE NOT over LOOP\n%s INTO cursor_key, seen, filled, over;\nCOMMIT;\nEND LOOP;\n"
               "END $walk$;\n",
               backfill_sql(migration, table, &(BackfillBatch){.rows = SCRIPT_ROWS, .behind = "cursor_key"}));
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    if (!backfill_key(table)) {
        buf_append_cstr(out, "-- it has no primary key\n");
        return;
    }
    buf_append_cstr(out, "INSERT INTO shardferry.backfill (table_schema, table_name) VALUES (");
    step_literal(out, table->schema);
    buf_append_cstr(out, ", ");
    step_literal(out, table->name);
    buf_append_cstr(out, ") ON CONFLICT DO NOTHING;\n");
    append_walk(migration, table, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    buf_append_cstr(out, "DELETE FROM shardferry.backfill WHERE table_schema = ");
    step_literal(out, table->schema);
    buf_append_cstr(out, " AND table_name = ");
    step_literal(out, table->name);
    buf_append_cstr(out, ";\n");
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    BackfillState state;

    if (!backfill_is_over(migration, table, done, err))
        return false;
    if (*done)
        return true;
    if (!backfill_read(migration, table, &state, err))
        return false;
    *done = state.finished && !state.by_pg_cron; /* else its job is still there */
    return true;
}

/* ---- batches ---- */

static void say_work(const Walk *walk) {
    int64_t total = walk->table->row_estimate;

    watch_work(walk->migration, &(WatchWork){.done = walk->state.seen,
                                             .total = total > walk->state.seen ? total : 0,
                                             .unit = "rows",
                                             .batch = walk->pace.batch});
}

static bool take_result(Walk *walk, PGresult *result, Error *err) {
    if (PQntuples(result) != 1) {
        PQclear(result);
        return error_set(err, "55000", "the backfill of %s was moved by somebody else", walk->table->name);
    }
    PQclear(walk->last);
    walk->last = result;
    walk->state.last_key = query_text(result, 0, 0);
    walk->state.seen = query_int(result, 0, 1);
    walk->state.filled = query_int(result, 0, 2);
    walk->state.finished = query_bool(result, 0, 3);
    return true;
}

static bool run_batch(Walk *walk, bool *blocked, Error *err) {
    char rows[24];
    const char *params[] = {rows, walk->state.last_key};
    bool more = walk->state.last_key != NULL;
    int64_t start = session_clock(), seen = walk->state.seen;
    PGresult *result;

    snprintf(rows, sizeof(rows), "%" PRId64, walk->pace.batch);
    result = watch_query(walk->migration, "filling a batch", more ? walk->next_sql : walk->first_sql,
                         more ? 2 : 1, params, err);
    *blocked = !result && (strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 ||
                           strcmp(err->sqlstate, DEADLOCK_DETECTED) == 0);
    if (!result || !take_result(walk, result, err))
        return false;
    pace_took(&walk->pace, walk->state.seen - seen, session_clock() - start);
    say_work(walk);
    return true;
}

/* Somebody holds a row of the batch: who, if that can be found out. */
static bool wait_for_row(Walk *walk, Error *err) {
    const char *holder;

    pace_blocked(&walk->pace);
    if (!backfill_holder(walk->migration, walk->table, walk->state.last_key, walk->pace.batch, &holder, err))
        return false;
    watch_waiting(walk->migration, holder ? holder : "a row that somebody holds");
    session_sleep(LOCK_PAUSE_MS);
    return true;
}

/* Where an autovacuum is at it, that will do. */
static bool vacuum(Walk *walk, Error *err) {
    int64_t filled = walk->state.filled - walk->vacuumed;
    const char *sql;

    if (filled < VACUUM_ROWS || filled < walk->table->row_estimate / VACUUM_PARTS)
        return true;
    walk->vacuumed = walk->state.filled;
    sql = arena_printf(walk->migration->arena, "VACUUM (SKIP_LOCKED, TRUNCATE OFF) %s",
                       table_qualified_name(walk->migration->arena, walk->table));
    return watch_script(walk->migration, "vacuuming", sql, err);
}

static bool walk_table(Walk *walk, Error *err) {
    bool waits = false;

    while (!walk->state.finished) {
        bool blocked;

        if (!pace_wait(&walk->pace, err))
            return false;
        if (!run_batch(walk, &blocked, err)) {
            if (!blocked || !wait_for_row(walk, err))
                return false;
            waits = true;
            continue;
        }
        if (waits)
            watch_waiting(walk->migration, NULL);
        waits = false;
        if (!vacuum(walk, err))
            return false;
    }
    return true;
}

static bool begin(const Migration *migration, const Table *table, Error *err) {
    const char *params[] = {table->schema, table->name};
    PGresult *result =
        query_run(migration->conn, "beginning the backfill", sql_backfill_begin, 2, params, err);

    PQclear(result);
    return result != NULL;
}

static bool walk_here(const Migration *migration, const Table *table, Error *err) {
    Walk walk = {.migration = migration, .table = table};
    bool done;

    if (!backfill_read(migration, table, &walk.state, err) ||
        !query_script(migration->conn, "preparing the backfill", SESSION, err))
        return false;
    pace_begin(&walk.pace, migration);
    walk.vacuumed = walk.state.filled;
    walk.first_sql = backfill_sql(migration, table, &(BackfillBatch){.rows = "$1::bigint"});
    walk.next_sql =
        backfill_sql(migration, table, &(BackfillBatch){.rows = "$1::bigint", .behind = "$2::text[]"});
    done = walk_table(&walk, err);
    PQclear(walk.last);
    return done && query_script(migration->conn, "ending the backfill", SESSION_OVER, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    if (!backfill_key(table)) {
        error_set(err, "55000", "%s has no primary key to walk along",
                  table_qualified_name(migration->arena, table));
        return error_hint(err, "Add one: Citus wants it, too.");
    }
    if (!begin(migration, table, err))
        return false;
    if (migration->config->driver == CONF_DRIVER_PG_CRON)
        return cron_run(migration, table, err);
    return cron_stop(migration, table, err) && walk_here(migration, table, err);
}

const Step step_backfill = {
    .name = "backfill",
    .scope = STEP_EACH_BACKFILL,
    .why = "The rows that were there before the proxies added the tenant get it from their parents.",
    .lock = "row locks on the rows of one batch, for the time of a batch",
    .us_per_row = 14,
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run};
