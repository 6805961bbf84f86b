/* Trying for locks: short tries, longer and longer pauses, and the names of those in the way. */
#include "migrate/lock.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/blockers.h"

/* The first tries are short; where they are in vain, others have to wait a little longer behind the next
 * ones. */
#define LOCK_TIMEOUT_MS 100
#define LOCK_TIMEOUT_MAX_MS 1000
#define TRIES_AT_A_TIMEOUT 4
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 1000
#define SAY_EVERY_MS 10000

#define LOCK_NOT_AVAILABLE "55P03"
#define DEADLOCK_DETECTED "40P01"

static void put_transaction(const char *sql, int timeout, Buf *out) {
    buf_printf(out, "BEGIN;\nSET LOCAL lock_timeout = '%dms';\n%sCOMMIT;\n", timeout, sql);
}

void lock_script(const char *sql, Buf *out) { put_transaction(sql, LOCK_TIMEOUT_MS, out); }

/* Who holds the table, in the arena; empty if nobody does any more. */
static bool read_blockers(const Migration *migration, const Table *table, const char **blockers, Error *err) {
    const char *oid = arena_printf(migration->arena, "%" PRIu32, table->oid);
    PGresult *result =
        query_run(migration->conn, "looking for who holds the table", sql_blockers, 1, &oid, err);
    Buf list = {0};

    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        buf_printf(&list, "%s%s", i ? "; " : "", PQgetvalue(result, i, 0));
    *blockers = arena_strndup(migration->arena, (const char *)buf_ptr(&list), buf_len(&list));
    buf_free(&list);
    PQclear(result);
    return true;
}

static bool try_once(const Migration *migration, const char *what, const char *sql, int timeout,
                     bool *blocked, Error *err) {
    Buf script = {0};
    bool done;

    put_transaction(sql, timeout, &script);
    buf_append(&script, "", 1);
    done = query_script(migration->conn, what, (const char *)buf_ptr(&script), err);
    buf_free(&script);
    *blocked = false;
    if (done)
        return true;
    query_rollback(migration->conn);
    *blocked =
        strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 || strcmp(err->sqlstate, DEADLOCK_DETECTED) == 0;
    return false;
}

static bool give_up(const Migration *migration, const Table *table, int tries, const char *blockers,
                    Error *err) {
    error_set(err, LOCK_NOT_AVAILABLE, "could not lock %s in %d tries within %d s",
              table_qualified_name(migration->arena, table), tries, migration->lock_wait / 1000);
    if (*blockers)
        error_detail(err, "It is held by %s", blockers);
    return error_hint(err, "Run it again when they are done, or end them with pg_terminate_backend.");
}

bool lock_run(const Migration *migration, const Table *table, const char *what, const char *sql, Error *err) {
    int64_t start = session_clock(), said = start;
    const char *blockers = "";
    int pause = PAUSE_MIN_MS, timeout = LOCK_TIMEOUT_MS;
    bool blocked;

    for (int tries = 1; !try_once(migration, what, sql, timeout, &blocked, err); tries++) {
        int64_t now = session_clock();
        const char *seen;

        if (!blocked || !read_blockers(migration, table, &seen, err))
            return false;
        if (*seen)
            blockers = seen;
        if (now - start >= migration->lock_wait)
            return give_up(migration, table, tries, blockers, err);
        if (now - said >= SAY_EVERY_MS && *blockers) {
            step_say(migration, "  waiting for a lock on %s, held by %s", table->name, blockers);
            said = now;
        }
        session_sleep(pause);
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
        if (tries % TRIES_AT_A_TIMEOUT == 0)
            timeout = timeout * 2 < LOCK_TIMEOUT_MAX_MS ? timeout * 2 : LOCK_TIMEOUT_MAX_MS;
    }
    return true;
}
