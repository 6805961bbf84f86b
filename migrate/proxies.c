/* Waiting for the proxies.
 *
 * A proxy takes three steps on its control connection, always in this order, and begins with the first one
 * again on each new connection:
 *
 *     announce (a shared advisory lock)  >  load the catalog  >  register (a row, with a lease)
 *
 * The runner commits a stage and then looks, first for proxies that have announced themselves and never
 * registered, then for registered ones that are behind. Of each proxy one of these is true:
 *
 * - It announces itself after the first look. It loads the catalog later still, and so plans nothing by a
 *   stage from before the commit.
 * - It has announced itself, but not registered. The first look finds it, and is repeated.
 * - It registered before the first look. The second look finds its row: a registration acknowledges nothing,
 *   so it counts as behind until its heartbeat says otherwise.
 * - It is behind, and its lease is over. It has fenced itself; its registration is revoked, and it is not
 *   waited for: it writes to these tables again when it has loaded the catalog and registered anew.
 *
 * The other way round, a proxy that registered between the two looks would be missed by both. One that was
 * cut off and has not come back yet is of the first kind, or of the last. What remains is a proxy that was
 * cut off before it ever saw the schema, and serves clients meanwhile: nothing in the database tells of it.
 */
#include "migrate/proxies.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/session.h"
#include "migrate/sql/epoch.h"
#include "migrate/watch.h"

#define POLL_MS 50
#define SAY_AFTER_MS 2000
#define SAY_EVERY_MS 10000
#define LEASES_TO_REGISTER 3

#define OBJECT_NOT_IN_PREREQUISITE_STATE "55000"

/* What one look has shown. Texts are for people, in the look's arena. */
typedef struct Look {
    Arena *arena;
    StageHolder *unregistered;
    int nunregistered;
    const char *behind; /* NULL: nobody is waited for */
} Look;

static const char *keep(Arena *arena, Buf *text) {
    const char *kept = arena_strndup(arena, (const char *)buf_ptr(text), buf_len(text));

    buf_free(text);
    return kept;
}

static const char *list_unregistered(const Look *look) {
    Buf list = {0};

    for (int i = 0; i < look->nunregistered; i++)
        buf_printf(&list, "%s%s", i ? "; " : "", look->unregistered[i].who);
    return keep(look->arena, &list);
}

static bool look_for_unacknowledged(PGconn *conn, bool revoke, Look *look, Error *err) {
    PGresult *result = query_run(conn, "reading the epoch", sql_epoch, 0, NULL, err);
    ProxyInfo *proxies;
    Buf list = {0};
    int64_t epoch;
    int n;

    if (!result)
        return false;
    epoch = query_int(result, 0, 0);
    PQclear(result);
    if ((revoke && !stage_revoke(conn, epoch, err)) ||
        !stage_unacknowledged(conn, epoch, look->arena, &proxies, &n, err))
        return false;
    for (int i = 0; i < n; i++)
        buf_printf(&list,
                   "%sproxy on %s (pid %d), in epoch %" PRId64 " of %" PRId64 ", its lease runs %.1f s more",
                   i ? "; " : "", proxies[i].host, proxies[i].pid, proxies[i].epoch, epoch,
                   (double)proxies[i].lease_left_ms / 1000);
    if (n > 0)
        look->behind = keep(look->arena, &list);
    return true;
}

static bool look_around(PGconn *conn, ProxiesGoal goal, bool revoke, Look *look, Error *err) {
    look->behind = NULL;
    if (!stage_unregistered(conn, look->arena, &look->unregistered, &look->nunregistered, err))
        return false;
    if (look->nunregistered > 0) {
        look->behind = arena_printf(look->arena, "proxies to register: %s", list_unregistered(look));
        return true;
    }
    return goal == PROXIES_REGISTERED || look_for_unacknowledged(conn, revoke, look, err);
}

/* ---- proxies that do not register ---- */

static bool refuse_privileges(const StageHolder *holder, Error *err) {
    error_set(err, SQLSTATE_INSUFFICIENT_PRIVILEGE, "a proxy may not register in schema shardferry: %s",
              holder->who);
    error_detail(err, "Without that it would not know of a stage change, and nobody would wait for it.");
    return error_hint(err,
                      "GRANT USAGE ON SCHEMA shardferry TO %s; "
                      "GRANT SELECT ON ALL TABLES IN SCHEMA shardferry TO %s; "
                      "GRANT UPDATE (only_row) ON shardferry.epoch TO %s; "
                      "GRANT INSERT, UPDATE, DELETE ON shardferry.proxy TO %s; "
                      "GRANT UPDATE ON shardferry.control TO %s; then run this again.",
                      holder->role, holder->role, holder->role, holder->role, holder->role);
}

/* `since`: from when on there always was one. */
static bool lose_patience(const Migration *migration, const Look *look, int64_t since, Error *err) {
    int64_t waited = session_clock() - since;

    for (int i = 0; i < look->nunregistered; i++) {
        if (!look->unregistered[i].may_register)
            return refuse_privileges(&look->unregistered[i], err);
    }
    if (waited < (int64_t)LEASES_TO_REGISTER * migration->config->lease)
        return true;
    error_set(err, OBJECT_NOT_IN_PREREQUISITE_STATE,
              "a proxy is connected, but has not registered for %.1f s: %s", (double)waited / 1000,
              list_unregistered(look));
    return error_hint(err,
                      "Its log says what keeps it from it. If its host is gone, end the session: SELECT "
                      "pg_terminate_backend(%d); then run this again.",
                      look->unregistered[0].pid);
}

/* ---- the wait ---- */

bool proxies_check(const Migration *migration, ProxiesGoal goal, bool *reached, Error *err) {
    Look look = {.arena = migration->arena};

    if (!look_around(migration->conn, goal, false, &look, err))
        return false;
    *reached = look.behind == NULL;
    return true;
}

bool proxies_wait(const Migration *migration, ProxiesGoal goal, Error *err) {
    int64_t now = session_clock(), say_at = now + SAY_AFTER_MS, unregistered_since = now;
    Look look = {.arena = arena_new()}; /* its own: it may be a long wait */
    bool going;

    while ((going = look_around(migration->conn, goal, true, &look, err)) && look.behind) {
        now = session_clock();
        if (look.nunregistered == 0)
            unregistered_since = now;
        watch_waiting(migration, look.behind);
        going = watch_going(migration, err) && lose_patience(migration, &look, unregistered_since, err);
        if (!going)
            break;
        if (now >= say_at) {
            step_say(migration, "  waiting for %s", look.behind);
            say_at = now + SAY_EVERY_MS;
        }
        session_sleep(POLL_MS);
        arena_reset(look.arena);
    }
    watch_waiting(migration, NULL);
    arena_free(look.arena);
    return going;
}
