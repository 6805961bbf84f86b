/* The guard: a statement that goes round on the server, beside the one that distributes. */
#include "migrate/guard.h"

#include <poll.h>
#include <stdlib.h>

#include "base/mem.h"
#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/guard_keep.h"
#include "migrate/sql/guard_watch.h"
#include "migrate/watch.h"

struct Guard {
    const Migration *migration;
    PGconn *conn; /* in a transaction, with a statement under way */
    const Table *table;
};

#define PATIENCE_MS 20000

/* Names reach a DO block as settings. */
#define BEGIN_SQL                                                                                            \
    "SELECT pg_catalog.set_config('application_name', '" GUARD_APPLICATION_NAME "', false), "                \
    "pg_catalog.set_config('shardferry.guard_schema', $1, false), "                                          \
    "pg_catalog.set_config('shardferry.guard_table', $2, false), "                                           \
    "pg_catalog.set_config('shardferry.guard_wait', $3, false)"

static bool begin(Guard *guard, Error *err) {
    const char *params[] = {
        guard->table->schema, guard->table->name,
        arena_printf(guard->migration->arena, "%dms",
                     guard->migration->lock_wait > 0 ? guard->migration->lock_wait : 1)}; /* 0 is no limit */
    PGresult *result = query_run(guard->conn, "preparing the guard", BEGIN_SQL, 3, params, err);

    PQclear(result);
    if (!result || !query_script(guard->conn, "preparing the guard", "BEGIN", err))
        return false;
    if (!PQsendQuery(guard->conn, sql_guard_watch))
        return error_set(err, SQLSTATE_CONNECTION_FAILURE, "starting the guard: %s",
                         PQerrorMessage(guard->conn));
    return true;
}

Guard *guard_open(const Migration *migration, const Table *table, Error *err) {
    Guard *guard = MEM_NEW(Guard);

    guard->migration = migration;
    guard->table = table;
    guard->conn = session_open(migration->config, err);
    if (guard->conn && begin(guard, err))
        return guard;
    PQfinish(guard->conn);
    free(guard);
    return NULL;
}

static void cancel(PGconn *conn) {
    PGcancel *handle = PQgetCancel(conn);
    char ignored[256];

    if (handle)
        PQcancel(handle, ignored, sizeof(ignored));
    PQfreeCancel(handle);
}

/* A statement that does not end is cancelled: it looks ten times a second, when the nodes answer. */
static void await_end(PGconn *conn) {
    int64_t end = session_clock() + PATIENCE_MS;
    struct pollfd ready = {.fd = PQsocket(conn), .events = POLLIN};

    while (PQconsumeInput(conn) && PQisBusy(conn)) {
        int64_t left = end - session_clock();

        if (left <= 0)
            break;
        poll(&ready, 1, (int)left);
    }
    if (PQisBusy(conn))
        cancel(conn);
}

/* The result of the statement under way. */
static bool collect(PGconn *conn, Error *err) {
    PGresult *result;
    bool ok = true;

    while ((result = PQgetResult(conn))) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && ok) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

            ok = error_set(err, state ? state : SQLSTATE_CONNECTION_FAILURE, "guarding the old shard: %s",
                           message ? message : PQerrorMessage(conn));
        }
        PQclear(result);
    }
    return ok;
}

bool guard_close(Guard *guard, bool distributed, Error *err) {
    Error ignored;
    bool kept = true;

    if (distributed) {
        await_end(guard->conn);
        watch_waiting(guard->migration, "those who read the table from before it was distributed");
        kept = collect(guard->conn, err) &&
               query_script(guard->conn, "keeping the old shard", sql_guard_keep, err);
        watch_waiting(guard->migration, NULL);
    } else {
        cancel(guard->conn);
        if (!collect(guard->conn, &ignored))
            query_rollback(guard->conn);
    }
    PQfinish(guard->conn);
    free(guard);
    return kept;
}
