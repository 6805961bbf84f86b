/* Finding leftovers. */
#include "migrate/leftovers.h"

#include <inttypes.h>
#include <stdio.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/leftover_runners.h"
#include "migrate/sql/leftovers.h"
#include "migrate/watch.h"

/* The server notices after 100 ms that a runner is gone, from PostgreSQL 14 on. */
#define QUIET_MS 1000
#define PATIENCE_MS 20000
#define GIVE_UP_MS 60000
#define PAUSE_MS 200
#define SAY_EVERY_MS 10000

/* ---- earlier runners ---- */

static void terminate(const Migration *migration, const PGresult *runners) {
    for (int i = 0; i < PQntuples(runners); i++) {
        const char *pid = PQgetvalue(runners, i, 0);
        Error because;
        PGresult *result = query_run(migration->conn, "ending an earlier runner's session",
                                     "SELECT pg_catalog.pg_terminate_backend($1::int)", 1, &pid, &because);

        step_say(migration, result ? "  terminated %s" : "  could not terminate %s",
                 PQgetvalue(runners, i, 1));
        PQclear(result);
    }
}

bool leftovers_wait(const Migration *migration, Error *err) {
    int64_t start = session_clock(), said = start - SAY_EVERY_MS + QUIET_MS;
    bool terminated = false;
    PGresult *runners;

    for (;;) {
        int64_t now = session_clock();

        runners =
            query_run(migration->conn, "looking for earlier runners", sql_leftover_runners, 0, NULL, err);
        if (!runners)
            return false;
        if (PQntuples(runners) == 0)
            break;
        if (now - start >= GIVE_UP_MS) {
            error_set(err, "55006", "an earlier runner's statement neither ends nor can be ended: %s",
                      PQgetvalue(runners, 0, 1));
            error_hint(err, "End it with pg_terminate_backend, as a role that may, and start again.");
            goto failed;
        }
        if (now - said >= SAY_EVERY_MS) {
            step_say(migration, "  waiting for a statement of an earlier runner, %s",
                     PQgetvalue(runners, 0, 1));
            said = now;
        }
        if (!terminated && now - start >= PATIENCE_MS) {
            terminate(migration, runners);
            terminated = true;
        }
        if (!watch_going(migration, err))
            goto failed;
        PQclear(runners);
        session_sleep(PAUSE_MS);
    }
    PQclear(runners);
    return true;

failed:
    PQclear(runners);
    return false;
}

/* ---- what is nobody's ---- */

/* Tables that were enrolled, and that the configuration has made local since. */
static const char *given_up(const Migration *migration) {
    SessionArray oids = {0};
    const char *text;

    for (int i = 0; i < migration->snapshot->ntables; i++) {
        const Table *table = &migration->snapshot->tables[i];
        char oid[16];

        if (!table->staged || table->kind != KIND_LOCAL)
            continue;
        snprintf(oid, sizeof(oid), "%" PRIu32, table->oid);
        session_array_add(&oids, oid);
    }
    text = arena_strdup(migration->arena, session_array_text(&oids));
    session_array_free(&oids);
    return text;
}

bool leftovers_find(const Migration *migration, Leftover **found, int *n, Error *err) {
    const char *tables = given_up(migration);
    PGresult *result =
        query_run(migration->conn, "looking for what was left over", sql_leftovers, 1, &tables, err);

    if (!result)
        return false;
    *n = PQntuples(result);
    *found = ARENA_ARRAY(migration->arena, Leftover, *n + 1);
    for (int i = 0; i < *n; i++)
        (*found)[i] = (Leftover){.what = arena_strdup(migration->arena, PQgetvalue(result, i, 0)),
                                 .sql = arena_strdup(migration->arena, PQgetvalue(result, i, 1))};
    PQclear(result);
    return true;
}
