/* Rebalancing, where [migration] rebalance asks for it: shards move until Citus would move none. Where Citus
 * has background jobs it is one, which goes on without the runner and is found again by the next; else it is
 * a statement. */
#include "migrate/step.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/citus.h"
#include "migrate/session.h"
#include "migrate/sql/rebalance_state.h"
#include "migrate/watch.h"

#define POLL_MS 1000

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    buf_append_cstr(out,
                    migration->config->rebalance ? "rebalance the shards" : "do not rebalance the shards");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    if (migration->config->rebalance)
        buf_append_cstr(
            out, "SELECT pg_catalog.citus_rebalance_start();\nSELECT pg_catalog.citus_rebalance_wait();\n");
}

/* From Citus 11.1 on. */
static bool has_jobs(const Migration *migration, bool *jobs, Error *err) {
    PGresult *result = query_run(
        migration->conn, "looking for background jobs",
        "SELECT pg_catalog.to_regclass('pg_catalog.pg_dist_background_task') IS NOT NULL", 0, NULL, err);

    if (!result)
        return false;
    *jobs = query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

typedef struct Rebalance {
    const char *job;   /* NULL: there was none */
    const char *state; /* of it */
    bool running;
    int64_t done, total, moves;
} Rebalance;

static bool read_state(const Migration *migration, Rebalance *now, Error *err) {
    PGresult *result =
        query_run(migration->conn, "asking how the rebalancing goes", sql_rebalance_state, 0, NULL, err);

    if (!result)
        return false;
    *now = (Rebalance){.moves = query_int(result, 0, 4)};
    if (!PQgetisnull(result, 0, 0)) {
        now->job = arena_strdup(migration->arena, PQgetvalue(result, 0, 0));
        now->state = arena_strdup(migration->arena, PQgetvalue(result, 0, 1));
        now->running = strcmp(now->state, "finished") != 0 && strcmp(now->state, "failed") != 0 &&
                       strcmp(now->state, "cancelled") != 0;
        now->done = query_int(result, 0, 2);
        now->total = query_int(result, 0, 3);
    }
    PQclear(result);
    return true;
}

static bool count_moves(const Migration *migration, int64_t *moves, Error *err) {
    PGresult *result = query_run(
        migration->conn, "planning the rebalancing",
        "SELECT pg_catalog.count(*) FROM pg_catalog.get_rebalance_table_shards_plan()", 0, NULL, err);

    if (!result)
        return false;
    *moves = query_int(result, 0, 0);
    PQclear(result);
    return true;
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    Rebalance now;
    bool jobs;
    int rest;

    (void)table;
    *done = !migration->config->rebalance;
    if (*done)
        return true;
    if (!citus_distributed(migration, &rest, err))
        return false;
    if (rest > 0 || migration->nall == 0)
        return true;
    if (!has_jobs(migration, &jobs, err))
        return false;
    now = (Rebalance){0};
    if (jobs ? !read_state(migration, &now, err) : !count_moves(migration, &now.moves, err))
        return false;
    *done = now.moves == 0 && !now.running;
    return true;
}

static bool start(const Migration *migration, Error *err) {
    PGresult *result = query_run(migration->conn, "starting to rebalance",
                                 "SELECT pg_catalog.citus_rebalance_start()", 0, NULL, err);

    PQclear(result);
    return result != NULL;
}

static bool follow(const Migration *migration, Error *err) {
    Rebalance now;

    for (;;) {
        if (!read_state(migration, &now, err))
            return false;
        if (!now.running)
            break;
        watch_work(migration, &(WatchWork){.done = now.done, .total = now.total, .unit = "moves"});
        if (!watch_going(migration, err))
            return error_hint(
                err, "Job %s goes on without the runner: SELECT citus_rebalance_stop() ends it.", now.job);
        session_sleep(POLL_MS);
    }
    if (!now.job || strcmp(now.state, "finished") == 0)
        return true;
    error_set(err, "55000", "job %s, which moves shards, has %s", now.job, now.state);
    return error_hint(
        err, "SELECT * FROM citus_job_status(%s) says why. Run it again, or set rebalance = off.", now.job);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    Rebalance now;
    bool jobs;

    (void)table;
    if (!has_jobs(migration, &jobs, err))
        return false;
    if (!jobs)
        return watch_script(migration, "rebalancing", "SELECT pg_catalog.rebalance_table_shards()", err);
    return read_state(migration, &now, err) && (now.running || start(migration, err)) &&
           follow(migration, err);
}

const Step step_rebalance = {
    .name = "rebalance",
    .changes_catalog = true,
    .needs_citus = true,
    .why = "Shards are spread over the workers by their sizes, as the configuration asks.",
    .lock = "writers of a shard wait about a second at the end of its move",
    .describe = describe,
    .script = script,
    .undo = step_no_sql,
    .check = check,
    .run = run};
