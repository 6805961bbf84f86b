/* Making the job, watching it, taking it away.
 *
 * pg_cron keeps the jobs of a server in one database, which has to be this one. */
#include "migrate/cron.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "catalog/request.h"
#include "catalog/stage.h"
#include "migrate/backfill.h"
#include "migrate/pace.h"
#include "migrate/session.h"
#include "migrate/sql/cron_given.h"
#include "migrate/sql/cron_job.h"
#include "migrate/sql/cron_place.h"
#include "migrate/sql/cron_procedure.h"
#include "migrate/sql/cron_runs.h"
#include "migrate/sql/cron_schedule.h"
#include "migrate/sql/cron_unschedule.h"
#include "migrate/sql/cron_work.h"
#include "migrate/watch.h"

#define POLL_MS 400
/* A job begins with the next full minute, or with the one behind it. */
#define PATIENCE_MS 150000
#define FAILURES 2

#define OBJECT_NOT_IN_PREREQUISITE_STATE "55000"

typedef struct Cron {
    const Migration *migration;
    const Table *table;
    const char *procedure; /* qualified */
    const char *job;       /* its name */
    char job_id[24];
    int64_t begun; /* ms: when it was scheduled, or found */
} Cron;

/* ---- where ---- */

/* The OID is the same as long as there is something to fill: Citus changes it when it distributes the table.
 */
static void name_job(Cron *cron, const Table *table, const char *database) {
    Arena *arena = cron->migration->arena;

    cron->table = table;
    cron->procedure = arena_printf(arena, "shardferry.backfill_%" PRIu32, table->oid);
    cron->job = arena_printf(arena, "shardferry: %s of %s", table_qualified_name(arena, table), database);
}

static bool open_cron(Cron *cron, const Migration *migration, const Table *table, Error *err) {
    PGresult *place = query_run(migration->conn, "looking for pg_cron", sql_cron_place, 0, NULL, err);
    bool found;

    if (!place)
        return false;
    found = query_bool(place, 0, 0);
    *cron = (Cron){.migration = migration, .begun = session_clock()};
    name_job(cron, table, PQgetvalue(place, 0, 1));
    PQclear(place);
    if (found)
        return true;
    error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE, "the extension pg_cron is not in this database");
    return error_hint(
        err, "Let shared_preload_libraries name pg_cron and cron.database_name this database, then CREATE "
             "EXTENSION pg_cron; or set driver = runner.");
}

/* ---- the procedure ---- */

typedef struct Marker {
    const char *name, *text;
} Marker;

static void append_filled(Buf *out, const char *text, const Marker *markers, size_t n) {
    const char *at;

    while ((at = strchr(text, '@'))) {
        buf_append(out, text, (size_t)(at - text));
        text = at + 1;
        for (size_t i = 0; i < n; i++) {
            size_t len = strlen(markers[i].name);

            if (strncmp(text, markers[i].name, len) == 0 && text[len] == '@') {
                buf_append_cstr(out, markers[i].text);
                text += len + 1;
                break;
            }
        }
    }
    buf_append_cstr(out, text);
}

static const char *number(const Cron *cron, int64_t n) {
    return arena_printf(cron->migration->arena, "%" PRId64, n);
}

static const char *literal(const Cron *cron, const char *text) {
    Buf out = {0};

    step_literal(&out, text);
    return step_text(cron->migration, &out);
}

static bool make_procedure(const Cron *cron, Error *err) {
    const Migration *migration = cron->migration;
    const Config *config = migration->config;
    const char *rows = "shardferry_walk.v_rows", *key = "shardferry_walk.v_key";
    const Marker markers[] = {
        {"procedure", cron->procedure},
        {"schema", literal(cron, cron->table->schema)},
        {"table", literal(cron, cron->table->name)},
        {"first",
         backfill_sql(migration, cron->table, &(BackfillBatch){.rows = rows, .driver = BACKFILL_BY_PG_CRON})},
        {"next", backfill_sql(migration, cron->table,
                              &(BackfillBatch){.rows = rows, .behind = key, .driver = BACKFILL_BY_PG_CRON})},
        {"channel", REQUEST_CHANNEL},
        {"duration", number(cron, config->batch_duration)},
        {"max_lag", number(cron, config->max_replication_lag)},
        {"max_latency", number(cron, config->max_latency)},
        {"first_batch", number(cron, PACE_FIRST_BATCH)},
        {"smallest_batch", number(cron, PACE_SMALLEST_BATCH)},
        {"largest_batch", number(cron, PACE_LARGEST_BATCH)},
    };
    Buf script = {0};
    bool made;

    append_filled(&script, sql_cron_procedure, markers, ARRAY_LEN(markers));
    buf_append(&script, "", 1);
    made = query_script(migration->conn, "making the procedure for pg_cron", (const char *)buf_ptr(&script),
                        err);
    buf_free(&script);
    return made;
}

/* ---- the job ---- */

static bool find_job(Cron *cron, const char *command, bool *found, Error *err) {
    PGresult *result =
        query_run(cron->migration->conn, "looking for the job of pg_cron", sql_cron_job, 1, &cron->job, err);

    if (!result)
        return false;
    *found =
        PQntuples(result) == 1 && query_bool(result, 0, 1) && strcmp(PQgetvalue(result, 0, 2), command) == 0;
    if (*found)
        snprintf(cron->job_id, sizeof(cron->job_id), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return true;
}

static bool schedule(Cron *cron, Error *err) {
    const char *command = arena_printf(cron->migration->arena, "CALL %s()", cron->procedure);
    const char *params[] = {cron->job, command};
    PGresult *result;
    bool found;

    if (!make_procedure(cron, err) || !find_job(cron, command, &found, err))
        return false;
    if (found) {
        step_say(cron->migration, "  the job \"%s\" of pg_cron is found", cron->job);
        return true;
    }
    result =
        query_run(cron->migration->conn, "scheduling the job of pg_cron", sql_cron_schedule, 2, params, err);
    if (!result)
        return false;
    snprintf(cron->job_id, sizeof(cron->job_id), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return true;
}

static bool unschedule(const Cron *cron, Error *err) {
    PGresult *result = query_run(cron->migration->conn, "unscheduling the job of pg_cron",
                                 sql_cron_unschedule, 1, (const char *[]){cron->job}, err);
    bool done = result != NULL;

    PQclear(result);
    return done &&
           query_script(
               cron->migration->conn, "dropping the procedure for pg_cron",
               arena_printf(cron->migration->arena, "DROP PROCEDURE IF EXISTS %s()", cron->procedure), err);
}

/* That the backfill is the runner's again is noted last: if it is killed before, the next one finds the job.
 */
static bool take_back(const Cron *cron, Error *err) {
    return unschedule(cron, err) && backfill_give(cron->migration, cron->table, BACKFILL_BY_RUNNER, err);
}

/* ---- watching it ---- */

static bool refuse_failing(const Cron *cron, const PGresult *runs, Error *err) {
    error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE, "the job \"%s\" of pg_cron fails", cron->job);
    error_detail(err, "pg_cron says: %s", PQgetisnull(runs, 0, 2) ? "nothing" : PQgetvalue(runs, 0, 2));
    return error_hint(
        err, "cron.job_run_details has each run. Where it could not connect, let cron.use_background_workers "
             "be on, or let pg_hba.conf and .pgpass of the server's user admit it.");
}

static bool refuse_asleep(const Cron *cron, Error *err) {
    error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE, "the job \"%s\" has not been started for %d s",
              cron->job, PATIENCE_MS / 1000);
    return error_hint(
        err, "Look in the server's log for what keeps pg_cron's launcher from it; cron.job_run_details has "
             "the runs of other jobs.");
}

/* Fails where it fails time after time, or is not run at all. */
static bool look_at_runs(const Cron *cron, bool moves, Error *err) {
    const char *params[] = {cron->job_id, number(cron, session_clock() - cron->begun)};
    PGresult *runs =
        query_run(cron->migration->conn, "looking at the runs of the job", sql_cron_runs, 2, params, err);
    bool good = true;

    if (!runs)
        return false;
    if (query_int(runs, 0, 1) >= FAILURES && !moves)
        good = refuse_failing(cron, runs, err);
    else if (query_int(runs, 0, 0) == 0 && session_clock() - cron->begun > PATIENCE_MS && !moves)
        good = refuse_asleep(cron, err);
    else if (query_int(runs, 0, 1) > 0 && !moves)
        watch_waiting(cron->migration,
                      arena_printf(cron->migration->arena, "pg_cron, whose last run failed: %s",
                                   PQgetisnull(runs, 0, 2) ? "" : PQgetvalue(runs, 0, 2)));
    PQclear(runs);
    return good;
}

/* What the job itself waits for is the same as the runner would. */
static bool look_at_session(const Cron *cron, const BackfillState *state, bool moves, Error *err) {
    const Migration *migration = cron->migration;
    const char *reason = NULL;
    PGresult *work = query_run(migration->conn, "looking at the job", sql_cron_work, 1,
                               (const char *[]){cron->procedure}, err);
    bool looked;

    if (!work)
        return false;
    looked = moves || PQntuples(work) == 0 ||
             (pace_reason(migration, &reason, err) &&
              (reason ||
               backfill_holder(migration, cron->table, state->last_key, PACE_SMALLEST_BATCH, &reason, err)));
    if (PQntuples(work) == 0)
        watch_waiting(migration, "pg_cron, which begins with a full minute");
    else if (looked && (moves || reason))
        watch_waiting(migration, reason);
    PQclear(work);
    return looked;
}

static void say_work(const Cron *cron, const BackfillState *state) {
    int64_t estimate = cron->table->row_estimate;

    watch_work(
        cron->migration,
        &(WatchWork){.done = state->seen, .total = estimate > state->seen ? estimate : 0, .unit = "rows"});
}

static bool watch_job(const Cron *cron, Error *err) {
    const Migration *migration = cron->migration;
    int64_t seen = -1;
    BackfillState state;

    for (;;) {
        bool moves;

        if (!backfill_read(migration, cron->table, &state, err))
            return false;
        if (!state.begun || !state.by_pg_cron)
            return error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE,
                             "the backfill of %s was taken from pg_cron by somebody else", cron->table->name);
        if (state.finished)
            return true;
        moves = seen >= 0 && state.seen != seen;
        seen = state.seen;
        say_work(cron, &state);
        if (!look_at_session(cron, &state, moves, err) || !look_at_runs(cron, moves, err))
            return false;
        if (!watch_going(migration, err))
            return error_hint(
                err,
                "The job \"%s\" of pg_cron goes on. Run this again to watch it; with driver = runner "
                "it is taken from it.",
                cron->job);
        session_sleep(POLL_MS);
    }
}

bool cron_run(const Migration *migration, const Table *table, Error *err) {
    Cron cron;
    bool done = open_cron(&cron, migration, table, err) &&
                backfill_give(migration, table, BACKFILL_BY_PG_CRON, err) && schedule(&cron, err) &&
                watch_job(&cron, err) && take_back(&cron, err);

    watch_waiting(migration, NULL);
    return done;
}

bool cron_stop(const Migration *migration, const Table *table, Error *err) {
    BackfillState state;
    Cron cron;

    return backfill_read(migration, table, &state, err) &&
           (!state.by_pg_cron || (open_cron(&cron, migration, table, err) && take_back(&cron, err)));
}

bool cron_unschedule_all(const Migration *migration, Error *err) {
    bool exists, good = true;
    PGresult *given;

    if (!stage_schema_exists(migration->conn, &exists, err))
        return false;
    given = exists ? query_run(migration->conn, "looking for jobs of pg_cron", sql_cron_given, 0, NULL, err)
                   : NULL;
    if (!given)
        return !exists;
    for (int i = 0; good && i < PQntuples(given); i++) {
        const Table *table =
            snapshot_table(migration->snapshot, PQgetvalue(given, i, 0), PQgetvalue(given, i, 1));

        good = !table || cron_stop(migration, table, err);
    }
    PQclear(given);
    return good;
}
