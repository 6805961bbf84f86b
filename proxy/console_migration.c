/* The migration, seen and steered from the console.
 *
 * What it shows and changes is in the database, and is asked for on a connection of the command's own: the
 * control thread's must not wait for anybody but the heartbeat. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "catalog/progress.h"
#include "proxy/console_commands.h"

#define APPLICATION_NAME "shardferry console"

/* NULL with rows->error. */
static PGconn *open_connection(Proxy *proxy, ConsoleRows *rows) {
    Runtime *runtime = proxy_runtime(proxy);
    const char *conninfo = runtime->config->control_conninfo;
    PGconn *conn = NULL;

    if (conninfo) {
        conn = progress_connect(conninfo, APPLICATION_NAME, &rows->error);
    } else {
        error_set(&rows->error, SQLSTATE_FEATURE_NOT_SUPPORTED,
                  "this proxy has no connection of its own to the database");
        error_hint(&rows->error, "The setting conninfo in [control] says where and as whom.");
    }
    rows->failed = conn == NULL;
    runtime_unref(runtime);
    return conn;
}

/* ---- SHOW MIGRATION ---- */

const char *const COLUMNS_MIGRATION[] = {
    "position", "step", "table", "what",  "state",  "started",     "elapsed_ms", "phase", "done",
    "total",    "unit", "rate",  "batch", "left_s", "waiting_for", "blocked_by", NULL};

enum { NCOLUMNS = 16 };

static const char *number(Arena *arena, int64_t n) {
    return n < 0 ? NULL : arena_printf(arena, "%" PRId64, n);
}

static const char *paused_by(Arena *arena, const Progress *p) {
    if (!p->paused)
        return NULL;
    return p->changed_by ? arena_printf(arena, "RESUME MIGRATION, paused by %s", p->changed_by)
                         : "RESUME MIGRATION";
}

/* The migration as a whole: its work is the steps. */
static void add_whole(Arena *arena, const Progress *p, ConsoleRows *rows) {
    const char *values[NCOLUMNS] = {"0",
                                    "migration",
                                    NULL,
                                    p->failure ? arena_printf(arena, "%s Last: %s", p->next, p->failure)
                                               : p->next,
                                    progress_state_name(p->state),
                                    p->runner_since,
                                    NULL,
                                    NULL,
                                    number(arena, p->ndone),
                                    number(arena, p->nsteps),
                                    "steps",
                                    NULL,
                                    NULL,
                                    NULL,
                                    paused_by(arena, p),
                                    NULL};

    console_row(rows, values, NCOLUMNS);
}

static void add_step(Arena *arena, const ProgressStep *s, ConsoleRows *rows) {
    const char *values[NCOLUMNS] = {number(arena, s->position),
                                    s->step,
                                    s->object,
                                    s->what,
                                    progress_step_state_name(s->state),
                                    s->started,
                                    number(arena, s->elapsed_ms),
                                    s->phase,
                                    number(arena, s->done),
                                    number(arena, s->total),
                                    s->unit,
                                    number(arena, s->rate),
                                    number(arena, s->batch),
                                    number(arena, s->left_s),
                                    s->waiting_for,
                                    s->blocked_by};

    console_row(rows, values, NCOLUMNS);
}

void show_migration(Proxy *proxy, ConsoleRows *rows) {
    PGconn *conn = open_connection(proxy, rows);
    Arena *arena;
    Progress progress;

    if (!conn)
        return;
    arena = arena_new();
    rows->failed = !progress_read(conn, arena, &progress, &rows->error);
    if (!rows->failed) {
        add_whole(arena, &progress, rows);
        for (int i = 0; i < progress.nsteps; i++)
            add_step(arena, &progress.steps[i], rows);
    }
    PQfinish(conn);
    arena_free(arena);
}

/* ---- PAUSE, RESUME, THROTTLE ---- */

static void set_paused(Proxy *proxy, bool paused, const char *who, ConsoleRows *rows) {
    PGconn *conn = open_connection(proxy, rows);

    if (!conn)
        return;
    rows->failed = !progress_pause(conn, paused, who, &rows->error);
    if (!rows->failed)
        log_info("%s MIGRATION from the console: %s", paused ? "PAUSE" : "RESUME", who);
    PQfinish(conn);
}

void console_pause_migration(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows) {
    (void)arguments;
    set_paused(proxy, true, who, rows);
}

void console_resume_migration(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows) {
    (void)arguments;
    set_paused(proxy, false, who, rows);
}

/* "TO 500", "OFF" or "TO OFF". */
static bool read_limit(Str text, int64_t *limit) {
    const char *end;
    char *rest;

    *limit = 0;
    if (text.len > 3 && str_ieq((Str){text.ptr, 2}, "to") && strchr(" \t\r\n", text.ptr[2]))
        text = str_trim((Str){text.ptr + 2, text.len - 2});
    else if (!str_ieq(text, "off"))
        return false;
    if (str_ieq(text, "off"))
        return true;
    if (text.len == 0 || text.len > 18 || text.ptr[0] < '0' || text.ptr[0] > '9')
        return false;
    end = text.ptr + text.len;
    *limit = strtoll(text.ptr, &rest, 10);
    return rest == end && *limit > 0;
}

void console_throttle_migration(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows) {
    PGconn *conn;
    int64_t limit;

    if (!read_limit(arguments, &limit)) {
        rows->failed = true;
        error_set(&rows->error, SQLSTATE_SYNTAX_ERROR, "THROTTLE MIGRATION needs a number of rows a second");
        error_hint(&rows->error, "THROTTLE MIGRATION TO 5000, or THROTTLE MIGRATION OFF");
        return;
    }
    conn = open_connection(proxy, rows);
    if (!conn)
        return;
    rows->failed = !progress_throttle(conn, limit, who, &rows->error);
    if (!rows->failed)
        log_info("THROTTLE MIGRATION TO %" PRId64 " rows a second (0: OFF) from the console: %s", limit, who);
    PQfinish(conn);
}
