/* Reading where a migration stands. See progress.h, and schema.sql for the tables. */
#include "catalog/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "catalog/sql/progress_exists.h"
#include "catalog/sql/progress_pause.h"
#include "catalog/sql/progress_proxies.h"
#include "catalog/sql/progress_runner.h"
#include "catalog/sql/progress_session.h"
#include "catalog/sql/progress_state.h"
#include "catalog/sql/progress_steps.h"
#include "catalog/sql/progress_tables.h"
#include "catalog/sql/progress_throttle.h"

#define AS_TEXT(x) AS_TEXT_(x)
#define AS_TEXT_(x) #x
static const char *const RUNNER_LOCK = AS_TEXT(PROGRESS_RUNNER_LOCK);

#define OBJECT_NOT_IN_PREREQUISITE_STATE "55000"

const char *progress_state_name(ProgressState state) {
    static const char *const NAMES[] = {[PROGRESS_NONE] = "not begun", [PROGRESS_RUNNING] = "running",
                                        [PROGRESS_PAUSED] = "paused",  [PROGRESS_UNFINISHED] = "unfinished",
                                        [PROGRESS_FAILED] = "failed",  [PROGRESS_FINISHED] = "finished"};

    return NAMES[state];
}

const char *progress_step_state_name(ProgressStepState state) {
    static const char *const NAMES[] = {
        [PROGRESS_STEP_PENDING] = "pending", [PROGRESS_STEP_RUNNING] = "running",
        [PROGRESS_STEP_WAITING] = "waiting", [PROGRESS_STEP_BROKEN_OFF] = "broken off",
        [PROGRESS_STEP_FAILED] = "failed",   [PROGRESS_STEP_DONE] = "done"};

    return NAMES[state];
}

int64_t progress_seconds_left(int64_t done, int64_t total, int64_t rate) {
    return done < 0 || total <= 0 || rate <= 0 ? -1 : done >= total ? 0 : (total - done + rate - 1) / rate;
}

/* ---- the connection ---- */

PGconn *progress_connect(const char *conninfo, const char *application_name, Error *err) {
    static const char *const NAMES[] = {"application_name",
                                        "client_encoding",
                                        "connect_timeout",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "tcp_user_timeout",
                                        "dbname",
                                        NULL};
    const char *const values[] = {application_name, "UTF8", "3", "5", "2", "3", "10000", conninfo, NULL};
    PGconn *conn = PQconnectdbParams(NAMES, values, 1);

    if (PQstatus(conn) != CONNECTION_OK) {
        const char *message = PQerrorMessage(conn);

        error_set(err, SQLSTATE_CANNOT_CONNECT, "[control] conninfo: %.*s", (int)strcspn(message, "\n"),
                  message);
        goto failed;
    }
    if (query_script(conn, "preparing the session", sql_progress_session, err))
        return conn;
failed:
    PQfinish(conn);
    return NULL;
}

/* ---- reading ---- */

typedef struct Reader {
    PGconn *conn;
    Arena *arena;
    Progress *progress;
    Error *err;
} Reader;

static const char *keep(const Reader *reader, const PGresult *result, int row, int column) {
    const char *text = query_text(result, row, column);

    return text ? arena_strdup(reader->arena, text) : NULL;
}

static int64_t number(const PGresult *result, int row, int column, int64_t otherwise) {
    return PQgetisnull(result, row, column) ? otherwise : query_int(result, row, column);
}

/* Locks are not read as of a snapshot. Looked for before it is taken, a runner that is gone has written all
 * that it had to. */
static bool read_runner(const Reader *reader) {
    Progress *p = reader->progress;
    PGresult *result =
        query_run(reader->conn, "looking for the runner", sql_progress_runner, 1, &RUNNER_LOCK, reader->err);

    if (!result)
        return false;
    if (PQntuples(result) == 1) {
        p->runner_pid = query_int(result, 0, 0);
        p->runner_since = keep(reader, result, 0, 1);
        p->runner_host = keep(reader, result, 0, 2);
    }
    PQclear(result);
    return true;
}

static bool read_state(const Reader *reader) {
    Progress *p = reader->progress;
    PGresult *result = query_run(reader->conn, "reading where the migration stands", sql_progress_state, 0,
                                 NULL, reader->err);

    if (!result)
        return false;
    if (PQntuples(result) == 1) {
        p->epoch = query_int(result, 0, 0);
        p->paused = query_bool(result, 0, 1);
        p->rows_per_second = number(result, 0, 2, 0);
        p->changed_by = keep(reader, result, 0, 3);
        p->changed = keep(reader, result, 0, 4);
        p->failed_at = keep(reader, result, 0, 5);
        p->failed_step = keep(reader, result, 0, 6);
        p->failed_object = keep(reader, result, 0, 7);
        p->failure = keep(reader, result, 0, 8);
    }
    PQclear(result);
    return true;
}

static bool read_tables(const Reader *reader) {
    Progress *p = reader->progress;
    PGresult *result =
        query_run(reader->conn, "reading the stages", sql_progress_tables, 0, NULL, reader->err);

    if (!result)
        return false;
    p->ntables = PQntuples(result);
    p->tables = ARENA_ARRAY(reader->arena, ProgressTable, p->ntables + 1);
    for (int i = 0; i < p->ntables; i++)
        p->tables[i] = (ProgressTable){.table = keep(reader, result, i, 0),
                                       .kind = keep(reader, result, i, 1),
                                       .stage = keep(reader, result, i, 2),
                                       .tenant_column = keep(reader, result, i, 3),
                                       .since_epoch = query_int(result, i, 4)};
    PQclear(result);
    return true;
}

static bool read_steps(const Reader *reader) {
    Progress *p = reader->progress;
    PGresult *result =
        query_run(reader->conn, "reading the progress", sql_progress_steps, 0, NULL, reader->err);

    if (!result)
        return false;
    p->nsteps = PQntuples(result);
    p->steps = ARENA_ARRAY(reader->arena, ProgressStep, p->nsteps + 1);
    for (int i = 0; i < p->nsteps; i++) {
        ProgressStep *s = &p->steps[i];

        *s = (ProgressStep){.position = query_int(result, i, 0),
                            .step = keep(reader, result, i, 1),
                            .object = keep(reader, result, i, 2),
                            .what = keep(reader, result, i, 3),
                            .started = keep(reader, result, i, 4),
                            .elapsed_ms = number(result, i, 5, -1),
                            .silent_ms = number(result, i, 6, -1),
                            .state = query_bool(result, i, 7) ? PROGRESS_STEP_DONE : PROGRESS_STEP_PENDING,
                            .phase = keep(reader, result, i, 8),
                            .done = number(result, i, 9, -1),
                            .total = number(result, i, 10, -1),
                            .unit = keep(reader, result, i, 11),
                            .rate = number(result, i, 12, -1),
                            .batch = number(result, i, 13, -1),
                            .waiting_for = keep(reader, result, i, 14),
                            .blocked_by = keep(reader, result, i, 15)};
        s->runner_pid = query_int(result, i, 16);
        s->left_s = s->state == PROGRESS_STEP_DONE ? -1 : progress_seconds_left(s->done, s->total, s->rate);
    }
    PQclear(result);
    return true;
}

static bool read_proxies(const Reader *reader) {
    Progress *p = reader->progress;
    PGresult *result =
        query_run(reader->conn, "reading the proxies", sql_progress_proxies, 0, NULL, reader->err);

    if (!result)
        return false;
    p->nproxies = PQntuples(result);
    p->proxies = ARENA_ARRAY(reader->arena, ProgressProxy, p->nproxies + 1);
    for (int i = 0; i < p->nproxies; i++)
        p->proxies[i] = (ProgressProxy){.host = keep(reader, result, i, 0),
                                        .pid = query_int(result, i, 1),
                                        .version = keep(reader, result, i, 2),
                                        .epoch = query_int(result, i, 3),
                                        .lease_left_ms = query_int(result, i, 4),
                                        .revoked = query_bool(result, i, 5)};
    PQclear(result);
    return true;
}

/* ---- what it amounts to ---- */

static ProgressStepState judge_step(const Progress *p, const ProgressStep *s) {
    if (s->state == PROGRESS_STEP_DONE || !s->started)
        return s->state;
    if (p->runner_pid == 0)
        return p->failure ? PROGRESS_STEP_FAILED : PROGRESS_STEP_BROKEN_OFF;
    /* The runner that is there has not come to it yet: it is what another one has left. */
    if (s->runner_pid != p->runner_pid)
        return PROGRESS_STEP_BROKEN_OFF;
    return s->waiting_for || s->blocked_by ? PROGRESS_STEP_WAITING : PROGRESS_STEP_RUNNING;
}

static void judge_steps(Progress *p) {
    for (int i = 0; i < p->nsteps; i++) {
        p->steps[i].state = judge_step(p, &p->steps[i]);
        p->ndone += p->steps[i].state == PROGRESS_STEP_DONE;
    }
}

static bool was_asked_to_stop(const Progress *p) {
    return p->failure && strstr(p->failure, PROGRESS_STOPPED);
}

static ProgressState judge(const Progress *p) {
    if (p->epoch == 0)
        return PROGRESS_NONE;
    if (p->runner_pid != 0)
        return p->paused ? PROGRESS_PAUSED : PROGRESS_RUNNING;
    if (p->failure && !was_asked_to_stop(p))
        return PROGRESS_FAILED;
    return p->ndone < p->nsteps || p->failure ? PROGRESS_UNFINISHED : PROGRESS_FINISHED;
}

static const char *what_next(const Progress *p) {
    switch (p->state) {
    case PROGRESS_NONE:
        return "\"shardferry plan\" shows what a migration would do, \"shardferry migrate\" does it.";
    case PROGRESS_RUNNING:
        return "Nothing: it goes on by itself. PAUSE MIGRATION in a proxy's console makes it wait.";
    case PROGRESS_PAUSED:
        return "RESUME MIGRATION in a proxy's console, or UPDATE shardferry.control SET paused = false, lets "
               "it "
               "go on.";
    case PROGRESS_UNFINISHED:
        return p->paused
                   ? "\"shardferry migrate\" goes on where it ended; but it is paused, and would wait for "
                     "RESUME MIGRATION."
                   : "\"shardferry migrate\" goes on where it ended.";
    case PROGRESS_FAILED:
        return "Mend what the message says; then \"shardferry migrate\" goes on where it ended.";
    case PROGRESS_FINISHED:
        return "Nothing, or \"shardferry migrate --to STAGE\" for a later stage.";
    }
    return NULL;
}

/* ---- the whole ---- */

/* Whoever may not look is told what lets him. */
static bool explain(PGconn *conn, const char *privileges, Error *err) {
    if (strcmp(err->sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0)
        error_hint(err, "GRANT USAGE ON SCHEMA shardferry TO \"%s\"; %s TO \"%s\"", PQuser(conn), privileges,
                   PQuser(conn));
    return false;
}

static bool read_exists(PGconn *conn, bool *exists, bool *complete, Error *err) {
    PGresult *result = query_run(conn, "looking for schema shardferry", sql_progress_exists, 0, NULL, err);

    if (!result)
        return false;
    *exists = query_bool(result, 0, 0);
    *complete = query_bool(result, 0, 1);
    PQclear(result);
    return true;
}

static bool read_all(const Reader *reader) {
    bool exists, complete;

    if (!read_exists(reader->conn, &exists, &complete, reader->err))
        return false;
    if (!exists)
        return true;
    if (!complete) {
        error_set(
            reader->err, OBJECT_NOT_IN_PREREQUISITE_STATE,
            "schema shardferry was made by an older version, and does not tell where a migration stands");
        return error_hint(reader->err, "\"shardferry migrate\" of this version adds what is missing.");
    }
    return read_state(reader) && read_tables(reader) && read_steps(reader) && read_proxies(reader);
}

bool progress_read(PGconn *conn, Arena *arena, Progress *progress, Error *err) {
    Reader reader = {conn, arena, progress, err};

    *progress = (Progress){0};
    if (!read_runner(&reader) ||
        !query_script(conn, "reading where the migration stands",
                      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) ||
        !read_all(&reader) || !query_script(conn, "reading where the migration stands", "COMMIT", err))
        goto failed;
    judge_steps(progress);
    progress->state = judge(progress);
    progress->next = what_next(progress);
    return true;

failed:
    query_rollback(conn);
    return explain(conn, "GRANT SELECT ON ALL TABLES IN SCHEMA shardferry", err);
}

/* ---- the operator's wishes ---- */

static bool change(PGconn *conn, const char *what, const char *sql, const char *value, const char *who,
                   Error *err) {
    const char *params[] = {value, who};
    bool exists, complete, changed;
    PGresult *result;

    if (!read_exists(conn, &exists, &complete, err))
        return explain(conn, "GRANT SELECT, UPDATE ON shardferry.control", err);
    if (!complete) {
        error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE, "%s: no migration has begun in database \"%s\"",
                  what, PQdb(conn));
        return error_hint(err, "\"shardferry migrate\" begins one.");
    }
    result = query_run(conn, what, sql, 2, params, err);
    if (!result)
        return explain(conn, "GRANT SELECT, UPDATE ON shardferry.control", err);
    changed = PQntuples(result) > 0;
    PQclear(result);
    if (changed)
        return true;
    error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE, "%s: shardferry.control is empty", what);
    return error_hint(err, "INSERT INTO shardferry.control DEFAULT VALUES");
}

bool progress_pause(PGconn *conn, bool paused, const char *who, Error *err) {
    return change(conn, paused ? "pausing the migration" : "resuming the migration", sql_progress_pause,
                  paused ? "t" : "f", who, err);
}

bool progress_throttle(PGconn *conn, int64_t rows_per_second, const char *who, Error *err) {
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, rows_per_second);
    return change(conn, "limiting the migration", sql_progress_throttle, rows_per_second > 0 ? text : NULL,
                  who, err);
}
