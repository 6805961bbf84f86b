/* The other tables, one after the other, each beside its writers.
 *
 *     plain  >  local to Citus, without foreign keys  >  distributed  >  with its foreign keys
 *
 * The first arrow is one short transaction; Citus would do it by itself, but wait for the lock without bound,
 * and let identity sequences start again. The second is Citus's: it copies the rows, replicates what changes
 * meanwhile, and lets the writers wait at the end. Where it fails, the table is left local to Citus, and the
 * next try goes on from there. The third leaves out the keys whose other table is still to come. */
#include "migrate/step.h"

#include <string.h>

#include "catalog/query.h"
#include "migrate/citus.h"
#include "migrate/distribute.h"
#include "migrate/guard.h"
#include "migrate/method.h"
#include "migrate/rejoin.h"
#include "migrate/session.h"
#include "migrate/sql/distribute_waits.h"
#include "migrate/switch_hold.h"
#include "migrate/watch.h"

#define TRIES 3
#define POLL_MS 500
#define SAY_EVERY_MS 10000
/* The writers wait behind it, at the end, so it must not wait without bound for one of them; but a try that
 * breaks off there has copied for nothing. */
#define LOCK_TIMEOUT "SET lock_timeout = '5s'"
#define LOCK_TIMEOUT_BACK "SET lock_timeout = '10s'"

#define LOCK_NOT_AVAILABLE "55P03"

/* How it comes to be distributed, as far as that can be foreseen. */
typedef enum Way { WAY_IN_GROUP, WAY_AT_ONCE, WAY_CONCURRENTLY } Way;

static bool way_of(const Migration *migration, const Table *table, Way *way, Error *err) {
    const Table **group;
    MethodChoice choice;
    int n;

    if (!method_choose(migration, table, &choice, err) || !distribute_group(migration, &group, &n, err))
        return false;
    *way = choice.method == METHOD_CONCURRENTLY ? WAY_CONCURRENTLY : WAY_AT_ONCE;
    for (int i = 0; i < n; i++) {
        if (group[i] == table)
            *way = WAY_IN_GROUP;
    }
    return true;
}

/* ---- at once, but on its own ---- */

/* One whose parents are distributed only now; where keys go round in a circle they are taken away. */
static bool distribute_at_once(const Migration *migration, const Table *table, Error *err) {
    const char *calls[1];
    Handover handover = {.tables = &table, .ntables = 1, .calls = calls, .ncalls = 1, .lock = "EXCLUSIVE"};
    const Table *anchor;
    bool ready;

    if (!distribute_anchor(migration, &anchor, err) ||
        !distribute_parents_ready(migration, table, NULL, 0, &ready, err))
        return false;
    calls[0] = distribute_call(migration, table, anchor, false);
    if (!ready)
        handover.detach = table;
    handover.ncounted = 1;
    return distribute_run(migration, "distributing", &handover, err);
}

/* ---- concurrently ---- */

/* Says who would be waited for, and waits. */
static bool wait_for_others(const Migration *migration, Error *err) {
    int64_t start = session_clock(), said = start - SAY_EVERY_MS;
    PGresult *result;

    for (;;) {
        int64_t now = session_clock();

        result = query_run(migration->conn, "looking for who is to be waited for", sql_distribute_waits, 0,
                           NULL, err);
        if (!result)
            return false;
        if (PQntuples(result) == 0)
            break;
        if (now - start >= migration->lock_wait) {
            error_set(err, LOCK_NOT_AVAILABLE, "waited %d s for %s", migration->lock_wait / 1000,
                      PQgetvalue(result, 0, 0));
            error_hint(err, "Run it again when that is over, or end it with pg_terminate_backend.");
            PQclear(result);
            return false;
        }
        watch_waiting(migration, PQgetvalue(result, 0, 0));
        if (now - said >= SAY_EVERY_MS) {
            step_say(migration, "  waiting for %s", PQgetvalue(result, 0, 0));
            said = now;
        }
        PQclear(result);
        if (!watch_going(migration, err))
            return false;
        session_sleep(POLL_MS);
    }
    PQclear(result);
    watch_waiting(migration, NULL);
    return true;
}

/* A table that Citus took by itself because of a foreign key would be given back as soon as that goes: it is
 * asked for first. */
static bool take(const Migration *migration, const Table *table, const CitusTable *found, Error *err) {
    const char *calls[] = {distribute_add_local_call(migration, table)};
    Handover handover = {.tables = &table,
                         .ntables = 1,
                         .calls = calls,
                         .ncalls = 1,
                         .detach = table,
                         .lock = "ACCESS EXCLUSIVE"};
    bool attached;

    if (found->kind == CITUS_NONE)
        return distribute_run(migration, "handing the table to Citus", &handover, err);
    if (found->auto_converted) {
        handover.detach = NULL;
        if (!distribute_run(migration, "keeping the table with Citus", &handover, err))
            return false;
        handover.detach = table;
    }
    handover.ncalls = 0;
    return distribute_is_attached(migration, found->oid, &attached, err) &&
           (!attached || distribute_run(migration, "detaching foreign keys", &handover, err));
}

/* Whatever a try has left behind is gone before the next one. */
static bool clean_up(const Migration *migration, Error *err) {
    return watch_script(migration, "cleaning up", "CALL pg_catalog.citus_cleanup_orphaned_resources()", err);
}

/* Beside it, its writers are held at the moment that would be an error for some of them, and what it starts
 * from is kept, to be compared. */
static bool call(const Migration *migration, const Table *table, const char *sql, Error *err) {
    Error problem;
    Guard *guard = guard_open(migration, table, &problem);
    SwitchHold *hold = switch_hold_begin(migration, table);
    bool done = watch_script(migration, "distributing concurrently", sql, err);

    switch_hold_end(hold);
    if ((guard && !guard_close(guard, done, &problem) && done) || (!guard && done))
        step_say(migration, "  it cannot be compared with what it was before: %s", problem.message);
    return done;
}

static bool copy(const Migration *migration, const Table *table, Error *err) {
    const Table *anchor;
    const char *sql;
    Error ignored;
    bool done;

    if (!distribute_anchor(migration, &anchor, err))
        return false;
    sql = arena_printf(migration->arena, "SELECT %s", distribute_call(migration, table, anchor, true));
    if (!wait_for_others(migration, err) || !query_script(migration->conn, "distributing", LOCK_TIMEOUT, err))
        return false;
    done = call(migration, table, sql, err);
    if (PQstatus(migration->conn) == CONNECTION_OK &&
        !query_script(migration->conn, "distributing", LOCK_TIMEOUT_BACK, done ? err : &ignored))
        return false;
    return done;
}

static bool is_over(const Migration *migration, const Error *err, int tries) {
    return PQstatus(migration->conn) != CONNECTION_OK ||
           strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) == 0 ||
           tries >= (strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 ? TRIES : TRIES - 1);
}

static bool distribute_beside_writers(const Migration *migration, const Table *table, const CitusTable *found,
                                      Error *err) {
    Error ignored;

    if (!take(migration, table, found, err))
        return false;
    for (int tries = 1; !copy(migration, table, err); tries++) {
        if (is_over(migration, err, tries)) {
            if (PQstatus(migration->conn) == CONNECTION_OK && !clean_up(migration, &ignored))
                step_say(migration, "  %s", ignored.message);
            return false;
        }
        step_say(migration, "  trying again: %s", err->message);
        if (!clean_up(migration, err))
            return false;
    }
    return true;
}

/* ---- the step ---- */

/* How is said as long as it is not done: what decides it is gone then. */
static void describe(const Migration *migration, const Table *table, Buf *out) {
    CitusTable found;
    Error ignored;
    Way way;

    buf_printf(out, "distribute %s", table_qualified_name(migration->arena, table));
    if (!citus_table(migration, table, &found, &ignored) || found.kind == CITUS_DISTRIBUTED ||
        !way_of(migration, table, &way, &ignored) || way == WAY_IN_GROUP)
        return;
    buf_append_cstr(out, way == WAY_CONCURRENTLY ? " concurrently" : " at once");
}

static void script_at_once(const Migration *migration, const Table *table, const Table *anchor, Buf *out) {
    const char *calls[] = {distribute_call(migration, table, anchor, false)};
    Handover handover = {.tables = &table, .ntables = 1, .calls = calls, .ncalls = 1, .lock = "EXCLUSIVE"};

    distribute_script(migration, &handover, out);
}

static void script_concurrently(const Migration *migration, const Table *table, const Table *anchor,
                                Buf *out) {
    const char *calls[] = {distribute_add_local_call(migration, table)};
    Handover handover = {.tables = &table,
                         .ntables = 1,
                         .calls = calls,
                         .ncalls = 1,
                         .detach = table,
                         .lock = "ACCESS EXCLUSIVE"};

    distribute_script(migration, &handover, out);
    buf_printf(out, "SELECT %s;\n", distribute_call(migration, table, anchor, true));
    rejoin_script(out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    const Table *anchor = distribute_script_anchor(migration, table);
    Error err;
    Way way;

    if (!way_of(migration, table, &way, &err))
        buf_printf(out, "-- %s\n", err.message);
    else if (way == WAY_AT_ONCE)
        script_at_once(migration, table, anchor, out);
    else if (way == WAY_CONCURRENTLY)
        script_concurrently(migration, table, anchor, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    distribute_undo_script(migration, table, out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    CitusTable found;

    if (!citus_table(migration, table, &found, err))
        return false;
    *done = found.kind == CITUS_DISTRIBUTED;
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    MethodChoice choice;
    CitusTable found;
    bool done;

    if (!citus_table(migration, table, &found, err) || !method_choose(migration, table, &choice, err))
        return false;
    if (found.kind == CITUS_NONE && choice.method == METHOD_BLOCKING)
        done = distribute_at_once(migration, table, err);
    else
        done = distribute_beside_writers(migration, table, &found, err);
    return done && distribute_analyze(migration, table, err) && rejoin_run(migration, false, err);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return distribute_take_back(migration, table, err);
}

const Step step_distribute_concurrently = {
    .name = "distribute concurrently",
    .scope = STEP_EACH_DISTRIBUTED,
    .changes_catalog = true,
    .needs_citus = true,
    .why = "Writers go on while its rows are copied.",
    .lock = "ACCESS EXCLUSIVE, a moment; writers wait about a second at the end",
    .us_per_row = 10,
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
