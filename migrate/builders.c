/* Waiting for them: to drop an index that is being built would only mean to wait for its end, and to lose it.
 */
#include "migrate/builders.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/builders.h"
#include "migrate/watch.h"

#define POLL_MS 100
#define SAY_AFTER_MS 2000
#define SAY_EVERY_MS 10000

/* Who it is, in the arena; NULL: nobody. */
static bool look(const Migration *migration, const Table *table, const char **who, Error *err) {
    const char *oid = arena_printf(migration->arena, "%" PRIu32, table->oid);
    PGresult *result = query_run(migration->conn, "looking for index builds", sql_builders, 1, &oid, err);

    if (!result)
        return false;
    *who = PQntuples(result) > 0 ? arena_strdup(migration->arena, PQgetvalue(result, 0, 1)) : NULL;
    PQclear(result);
    return true;
}

bool builders_wait(const Migration *migration, const Table *table, Error *err) {
    int64_t say_at = session_clock() + SAY_AFTER_MS;
    const char *who;
    bool going;

    while ((going = look(migration, table, &who, err)) && who) {
        watch_waiting(migration, who);
        if (session_clock() >= say_at) {
            step_say(migration, "  waiting for %s", who);
            say_at = session_clock() + SAY_EVERY_MS;
        }
        if (!(going = watch_going(migration, err)))
            break;
        session_sleep(POLL_MS);
    }
    watch_waiting(migration, NULL);
    return going;
}
