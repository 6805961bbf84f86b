/* What was left over goes: before the first table is distributed, as it can stand in the way, and at the end.
 */
#include "migrate/leftovers.h"

#include "catalog/query.h"
#include "migrate/citus.h"
#include "migrate/session.h"
#include "migrate/watch.h"

#define PAUSE_MS 1000

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "clean up what was left over");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    Leftover *found;
    Error err;
    bool there;
    int n;

    (void)table;
    if (!citus_is_there(migration, &there, &err) || !there || !leftovers_find(migration, &found, &n, &err)) {
        buf_append_cstr(out, "CALL pg_catalog.citus_cleanup_orphaned_resources();\n");
        return;
    }
    for (int i = 0; i < n; i++)
        buf_printf(out, "-- %s\n%s;\n", found[i].what, found[i].sql);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    Leftover *found;
    bool there;
    int n;

    (void)table;
    *done = false;
    if (!citus_is_there(migration, &there, err))
        return false;
    if (!there)
        return true;
    if (!leftovers_find(migration, &found, &n, err))
        return false;
    *done = n == 0;
    return true;
}

/* One may free another, and Citus passes over what is in use for a moment. */
static bool run(const Migration *migration, const Table *table, Error *err) {
    int64_t end = session_clock() + migration->lock_wait;
    Leftover *found;
    Error because = {0};
    int n;

    (void)table;
    for (int round = 0;; round++) {
        if (!leftovers_find(migration, &found, &n, err))
            return false;
        if (n == 0)
            return true;
        if (session_clock() >= end)
            break;
        for (int i = 0; i < n; i++) {
            if (round == 0)
                step_say(migration, "  removing %s", found[i].what);
            if (!watch_script(migration, "cleaning up", found[i].sql, &because))
                query_rollback(migration->conn);
            if (!watch_going(migration, err))
                return false;
        }
        session_sleep(PAUSE_MS);
    }
    error_set(err, "55006", "could not be removed in %d s: %s", migration->lock_wait / 1000, found[0].what);
    if (*because.message)
        error_detail(err, "%s", because.message);
    return error_hint(
        err, "If shards are being moved or split, wait until that is over; if a node is down, start it; "
             "then run it again.");
}

const Step step_leftovers = {.name = "leftovers",
                             .changes_catalog = true,
                             .needs_citus = true,
                             .why = "What broken-off runs have left stands in the way, or takes up room.",
                             .describe = describe,
                             .script = script,
                             .undo = step_no_sql,
                             .check = check,
                             .run = run};
