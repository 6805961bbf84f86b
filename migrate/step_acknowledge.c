/* Waiting for the proxies: until each one that is alive works by the current epoch, and nothing planned under
 * an older one is running. One whose lease has run out has fenced itself and is not waited for. */
#include "migrate/step.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/session.h"
#include "migrate/sql/epoch.h"

#define POLL_MS 50
#define SAY_AFTER_MS 2000
#define SAY_EVERY_MS 10000

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "wait until every proxy works by it");
}

/* The proxies that are behind, for people, in `arena`; NULL if there is none. */
static bool read_behind(PGconn *conn, Arena *arena, const char **behind, Error *err) {
    PGresult *result;
    ProxyInfo *proxies;
    Buf list = {0};
    int n = 0;

    result = query_run(conn, "reading the epoch", sql_epoch, 0, NULL, err);
    if (!result)
        return false;
    if (!stage_unacknowledged(conn, query_int(result, 0, 0), arena, &proxies, &n, err)) {
        PQclear(result);
        return false;
    }
    for (int i = 0; i < n; i++)
        buf_printf(&list,
                   "%sproxy on %s (pid %d), in epoch %" PRId64 " of %" PRId64 ", its lease runs %.1f s more",
                   i ? "; " : "", proxies[i].host, proxies[i].pid, proxies[i].epoch, query_int(result, 0, 0),
                   (double)proxies[i].lease_left_ms / 1000);
    PQclear(result);
    *behind = n == 0 ? NULL : arena_strndup(arena, (const char *)buf_ptr(&list), buf_len(&list));
    buf_free(&list);
    return true;
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    const char *behind;

    (void)table;
    if (!read_behind(migration->conn, migration->arena, &behind, err))
        return false;
    *done = behind == NULL;
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    int64_t next = session_clock() + SAY_AFTER_MS;
    Arena *arena = arena_new(); /* it may be a long wait */
    const char *behind = NULL;
    bool done;

    (void)table;
    while ((done = read_behind(migration->conn, arena, &behind, err)) && behind) {
        if (session_clock() >= next) {
            step_say(migration, "  waiting for %s", behind);
            next = session_clock() + SAY_EVERY_MS;
        }
        session_sleep(POLL_MS);
        arena_reset(arena);
    }
    arena_free(arena);
    return done;
}

const Step step_acknowledge = {.name = "acknowledge",
                               .waits = true,
                               .describe = describe,
                               .script = step_no_sql,
                               .undo = step_no_sql,
                               .check = check,
                               .run = run};
