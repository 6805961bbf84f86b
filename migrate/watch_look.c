/* Asking the server about the runner's session, from beside it. */
#include "migrate/watch_look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/progress.h"
#include "catalog/query.h"
#include "catalog/sql/progress_exists.h"
#include "migrate/progress_text.h"
#include "migrate/sql/watch_cluster.h"
#include "migrate/sql/watch_cluster_blockers.h"
#include "migrate/sql/watch_gpid.h"
#include "migrate/sql/watch_statement.h"
#include "migrate/sql/watch_write.h"
#include "migrate/watch.h"

#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS 15000
/* All nodes are asked; one that does not answer makes it slow. */
#define CLUSTER_EVERY_MS 1000
#define CLUSTER_PAUSE_MS 30000

struct WatchLook {
    const Config *config;
    PGconn *conn;
    int64_t connect_at;
    int pause;   /* ms, before the next try */
    bool schema; /* with all tables */
    /* Of the session whose statement runs in the cluster. */
    int pid;
    char name[64], gpid[24]; /* what its helpers are called; empty: unknown */
    int64_t cluster_at;
    int step;
    int64_t copied; /* rows, the most that was seen */
    char cluster_phase[128], cluster_blocked_by[1024];
};

WatchLook *watch_look_new(const Config *config) {
    WatchLook *look = MEM_NEW(WatchLook);

    look->config = config;
    look->pause = FIRST_PAUSE_MS;
    return look;
}

void watch_look_free(WatchLook *look) {
    PQfinish(look->conn);
    free(look);
}

bool watch_look_is_connected(const WatchLook *look) {
    return look->conn && PQstatus(look->conn) == CONNECTION_OK;
}

bool watch_look_connect(WatchLook *look, Error *err) {
    int64_t now = session_clock();

    *err = (Error){0};
    if (watch_look_is_connected(look))
        return true;
    if (now < look->connect_at)
        return false;
    PQfinish(look->conn);
    look->schema = false;
    look->conn = progress_connect(look->config->control_conninfo, WATCH_APPLICATION_NAME, err);
    if (look->conn) {
        look->pause = FIRST_PAUSE_MS;
        return true;
    }
    look->connect_at = session_clock() + look->pause;
    look->pause = 2 * look->pause < LAST_PAUSE_MS ? 2 * look->pause : LAST_PAUSE_MS;
    return false;
}

static void copy_text(char *to, size_t size, const PGresult *result, int column) {
    const char *text = query_text(result, 0, column);

    progress_text_copy(to, size, text ? text : "");
}

/* ---- in the cluster ---- */

/* How Citus names the sessions that work for another: known once the node is part of a cluster. */
static bool read_gpid(WatchLook *look, int pid, Error *err) {
    char text[16];
    const char *params[] = {text};
    PGresult *result;

    if (look->pid == pid && look->name[0])
        return true;
    (void)snprintf(text, sizeof(text), "%d", pid);
    result = query_run(look->conn, "looking for the global pid", sql_watch_gpid, 1, params, err);
    if (!result)
        return false;
    look->pid = pid;
    look->name[0] = look->gpid[0] = '\0';
    if (PQntuples(result) == 1) {
        copy_text(look->name, sizeof(look->name), result, 0);
        copy_text(look->gpid, sizeof(look->gpid), result, 1);
    }
    PQclear(result);
    return true;
}

static bool read_cluster(WatchLook *look, Error *err) {
    const char *name = look->name, *gpid = look->gpid;
    PGresult *result = query_run(look->conn, "looking at the nodes", sql_watch_cluster, 1, &name, err);
    int64_t copies, rows;

    if (!result)
        return false;
    copies = query_int(result, 0, 0);
    rows = query_int(result, 0, 1);
    copy_text(look->cluster_phase, sizeof(look->cluster_phase), result, 2);
    PQclear(result);
    if (rows > look->copied)
        look->copied = rows;
    if (copies > 0)
        (void)snprintf(look->cluster_phase, sizeof(look->cluster_phase), "copying rows to the nodes");
    else if (look->copied > 0 && !look->cluster_phase[0])
        (void)snprintf(look->cluster_phase, sizeof(look->cluster_phase), "rows copied, catching up");
    result =
        query_run(look->conn, "looking for locks on the nodes", sql_watch_cluster_blockers, 1, &gpid, err);
    if (!result)
        return false;
    copy_text(look->cluster_blocked_by, sizeof(look->cluster_blocked_by), result, 0);
    PQclear(result);
    return true;
}

static void forget_cluster(WatchLook *look) {
    look->copied = 0;
    look->cluster_phase[0] = look->cluster_blocked_by[0] = '\0';
}

/* What cannot be had is left out for a while. */
static void look_at_cluster(WatchLook *look, int pid) {
    int64_t now = session_clock();
    Error err;

    if (now < look->cluster_at)
        return;
    look->cluster_at = now + CLUSTER_EVERY_MS;
    if (!read_gpid(look, pid, &err) || (look->name[0] && !read_cluster(look, &err)))
        look->cluster_at = session_clock() + CLUSTER_PAUSE_MS;
}

/* ---- the statement ---- */

static void take_found(const PGresult *result, WatchFound *found) {
    copy_text(found->phase, sizeof(found->phase), result, 0);
    found->done = PQgetisnull(result, 0, 1) ? -1 : query_int(result, 0, 1);
    found->total = PQgetisnull(result, 0, 2) ? -1 : query_int(result, 0, 2);
    copy_text(found->unit, sizeof(found->unit), result, 3);
    copy_text(found->blocked_by, sizeof(found->blocked_by), result, 4);
}

bool watch_look_statement(WatchLook *look, int step, int pid, bool cluster, int64_t rows, WatchFound *found,
                          Error *err) {
    char text[16];
    const char *params[] = {text, look->name};
    PGresult *result;

    if (step != look->step)
        forget_cluster(look);
    look->step = step;
    if (cluster)
        look_at_cluster(look, pid);
    (void)snprintf(text, sizeof(text), "%d", pid);
    result = query_run(look->conn, "looking at the statement", sql_watch_statement, 2, params, err);
    if (!result)
        return false;
    take_found(result, found);
    PQclear(result);
    if (look->copied > 0) {
        found->done = look->copied;
        found->total = rows > 0 ? rows : -1;
        (void)snprintf(found->unit, sizeof(found->unit), "rows");
    }
    if (!found->phase[0])
        progress_text_copy(found->phase, sizeof(found->phase), look->cluster_phase);
    if (!found->blocked_by[0])
        progress_text_copy(found->blocked_by, sizeof(found->blocked_by), look->cluster_blocked_by);
    return true;
}

/* ---- what is kept in the database ---- */

void watch_look_put(WatchLookRows *rows, int column, const char *text) {
    session_array_add(&rows->columns[column], text ? text : "");
    rows->n += column == 0;
}

void watch_look_put_number(WatchLookRows *rows, int column, int64_t n, bool known) {
    char text[24] = "";

    if (known)
        (void)snprintf(text, sizeof(text), "%" PRId64, n);
    watch_look_put(rows, column, text);
}

void watch_look_free_rows(WatchLookRows *rows) {
    for (int i = 0; i < WATCH_LOOK_COLUMNS; i++)
        session_array_free(&rows->columns[i]);
    rows->n = 0;
}

static bool read_schema(WatchLook *look, Error *err) {
    PGresult *result;

    if (look->schema)
        return true;
    result = query_run(look->conn, "looking for schema shardferry", sql_progress_exists, 0, NULL, err);
    if (!result)
        return false;
    look->schema = query_bool(result, 0, 1);
    PQclear(result);
    return true;
}

bool watch_look_write(WatchLook *look, int pid, int nsteps, WatchLookRows *rows, WatchWishes *wishes,
                      Error *err) {
    char pid_text[16], steps_text[16];
    const char *params[2 + WATCH_LOOK_COLUMNS] = {steps_text, pid_text};
    PGresult *result;

    *wishes = (WatchWishes){0};
    if (!read_schema(look, err))
        return false;
    if (!look->schema)
        return true;
    (void)snprintf(pid_text, sizeof(pid_text), "%d", pid);
    (void)snprintf(steps_text, sizeof(steps_text), "%d", nsteps);
    for (int i = 0; i < WATCH_LOOK_COLUMNS; i++)
        params[2 + i] = session_array_text(&rows->columns[i]);
    result =
        query_run(look->conn, "writing the progress", sql_watch_write, 2 + WATCH_LOOK_COLUMNS, params, err);
    if (!result) {
        look->schema = false; /* it may be gone */
        return false;
    }
    wishes->known = true;
    if (PQntuples(result) > 0) {
        wishes->paused = query_bool(result, 0, 0);
        wishes->rows_per_second = PQgetisnull(result, 0, 1) ? 0 : query_int(result, 0, 1);
        copy_text(wishes->changed_by, sizeof(wishes->changed_by), result, 2);
    }
    PQclear(result);
    return true;
}
