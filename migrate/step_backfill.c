/* Backfill, batch by batch.
 *
 * The number of rows in a batch follows from the time that the last one took. A batch that meets a locked row
 * gives up after a moment, as it holds locks that others wait for by then, and is tried again, smaller;
 * while a standby is too far behind, none is begun. What it waits for is said. */
#include "migrate/backfill.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/backfill_begin.h"
#include "migrate/sql/lag.h"

#define FIRST_BATCH 500
#define SMALLEST_BATCH 10
#define LARGEST_BATCH 20000
#define LOCK_PAUSE_MS 100
#define LAG_PAUSE_MS 500
#define LAG_EVERY_MS 1000
#define SAY_EVERY_MS 5000

#define LOCK_NOT_AVAILABLE "55P03"
#define DEADLOCK_DETECTED "40P01"

/* A batch must find its rows by their keys, whatever the statistics say; nor may it wait for long in the
 * possession of locks. */
static const char SESSION[] =
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; "
    "SET lock_timeout = '100ms'";
static const char SESSION_OVER[] =
    "RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_seqscan; SET lock_timeout = '10s'";

typedef struct Walk {
    const Migration *migration;
    const Table *table;
    BackfillState state;
    const char *first_sql, *next_sql;
    int64_t batch; /* rows */
    int64_t begun, said, lag_seen;
    int64_t seen_before; /* rows, when this run began */
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
        backfill_sql(migration, table, &(BackfillBatch){SCRIPT_ROWS, NULL}));
    buf_printf(out,
               "END IF;\nWHILE NOT over LOOP\n%s INTO cursor_key, seen, filled, over;\nCOMMIT;\nEND LOOP;\n"
               "END $walk$;\n",
               backfill_sql(migration, table, &(BackfillBatch){SCRIPT_ROWS, "cursor_key"}));
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
    *done = state.finished;
    return true;
}

/* ---- pace ---- */

static void adapt(Walk *walk, int64_t took_ms) {
    int64_t target = walk->migration->config->batch_duration;
    int64_t next = took_ms > 0 ? walk->batch * target / took_ms : 2 * walk->batch;

    next = next > 2 * walk->batch ? 2 * walk->batch : next < walk->batch / 2 ? walk->batch / 2 : next;
    walk->batch = next < SMALLEST_BATCH ? SMALLEST_BATCH : next > LARGEST_BATCH ? LARGEST_BATCH : next;
}

static void say_progress(Walk *walk, const char *because) {
    int64_t now = session_clock(), ms = now - walk->begun;
    int64_t rows = walk->state.seen - walk->seen_before, rate = ms > 0 ? rows * 1000 / ms : 0;
    int64_t left = walk->table->row_estimate - walk->state.seen;

    if (now - walk->said < SAY_EVERY_MS)
        return;
    walk->said = now;
    if (because)
        step_say(walk->migration, "  %s: %" PRId64 " rows, waiting: %s", walk->table->name, walk->state.seen,
                 because);
    else if (rate > 0 && left > 0)
        step_say(walk->migration,
                 "  %s: %" PRId64 " of about %" PRId64 " rows, %" PRId64 " a second, %" PRId64
                 " in a batch, %" PRId64 " s left",
                 walk->table->name, walk->state.seen, walk->table->row_estimate, rate, walk->batch,
                 left / rate);
    else
        step_say(walk->migration, "  %s: %" PRId64 " rows, %" PRId64 " a second, %" PRId64 " in a batch",
                 walk->table->name, walk->state.seen, rate, walk->batch);
}

/* Whether a standby is too far behind to go on; *who is it, in the arena. */
static bool read_lag(const Migration *migration, bool *behind, const char **who, Error *err) {
    PGresult *result = query_run(migration->conn, "looking at the standbys", sql_lag, 0, NULL, err);

    if (!result)
        return false;
    *behind = PQntuples(result) == 1 && query_int(result, 0, 0) > migration->config->max_replication_lag;
    if (*behind)
        *who = arena_printf(migration->arena, "standby %s is %" PRId64 " ms behind", PQgetvalue(result, 0, 1),
                            query_int(result, 0, 0));
    PQclear(result);
    return true;
}

static bool wait_for_standbys(Walk *walk, Error *err) {
    const Migration *migration = walk->migration;
    const char *who;
    bool behind = true;

    if (migration->config->max_replication_lag == 0 || session_clock() - walk->lag_seen < LAG_EVERY_MS)
        return true;
    while (behind) {
        if (!read_lag(migration, &behind, &who, err))
            return false;
        if (behind) {
            say_progress(walk, who);
            session_sleep(LAG_PAUSE_MS);
        }
    }
    walk->lag_seen = session_clock();
    return true;
}

/* ---- batches ---- */

static bool take_result(Walk *walk, const PGresult *result, Error *err) {
    if (PQntuples(result) != 1)
        return error_set(err, "55000", "the backfill of %s was moved by somebody else", walk->table->name);
    walk->state.last_key =
        PQgetisnull(result, 0, 0) ? NULL : arena_strdup(walk->migration->arena, PQgetvalue(result, 0, 0));
    walk->state.seen = query_int(result, 0, 1);
    walk->state.filled = query_int(result, 0, 2);
    walk->state.finished = query_bool(result, 0, 3);
    return true;
}

static bool run_batch(Walk *walk, bool *blocked, Error *err) {
    const char *rows = arena_printf(walk->migration->arena, "%" PRId64, walk->batch);
    const char *params[] = {rows, walk->state.last_key};
    bool more = walk->state.last_key != NULL;
    int64_t start = session_clock();
    PGresult *result = query_run(walk->migration->conn, "filling a batch",
                                 more ? walk->next_sql : walk->first_sql, more ? 2 : 1, params, err);
    bool taken;

    *blocked = !result && (strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 ||
                           strcmp(err->sqlstate, DEADLOCK_DETECTED) == 0);
    if (!result)
        return false;
    taken = take_result(walk, result, err);
    PQclear(result);
    adapt(walk, session_clock() - start);
    return taken;
}

static bool walk_table(Walk *walk, Error *err) {
    while (!walk->state.finished) {
        bool blocked;

        if (!wait_for_standbys(walk, err))
            return false;
        if (run_batch(walk, &blocked, err)) {
            say_progress(walk, NULL);
            continue;
        }
        if (!blocked)
            return false;
        say_progress(walk, "a transaction holds a row of the batch");
        walk->batch = walk->batch / 2 < SMALLEST_BATCH ? SMALLEST_BATCH : walk->batch / 2;
        session_sleep(LOCK_PAUSE_MS);
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

static bool run(const Migration *migration, const Table *table, Error *err) {
    Walk walk = {.migration = migration,
                 .table = table,
                 .batch = FIRST_BATCH,
                 .begun = session_clock(),
                 .said = session_clock()};
    bool done;

    if (!backfill_key(table)) {
        error_set(err, "55000", "%s has no primary key to walk along",
                  table_qualified_name(migration->arena, table));
        return error_hint(err, "Add one: Citus wants it, too.");
    }
    if (!begin(migration, table, err) || !backfill_read(migration, table, &walk.state, err) ||
        !query_script(migration->conn, "preparing the backfill", SESSION, err))
        return false;
    walk.seen_before = walk.state.seen;
    walk.first_sql = backfill_sql(migration, table, &(BackfillBatch){"$1::bigint", NULL});
    walk.next_sql = backfill_sql(migration, table, &(BackfillBatch){"$1::bigint", "$2::text[]"});
    done = walk_table(&walk, err);
    if (!done)
        return false;
    return query_script(migration->conn, "ending the backfill", SESSION_OVER, err);
}

const Step step_backfill = {.name = "backfill",
                            .scope = STEP_EACH_BACKFILL,
                            .describe = describe,
                            .script = script,
                            .undo = undo,
                            .check = check,
                            .run = run};
