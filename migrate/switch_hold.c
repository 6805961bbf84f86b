/* Citus waits three times for its subscriptions to catch up: when they begin, when all indexes are there, and
 * when the writers wait. A wait that is not over at once lasts a second, for so often it looks:
 *
 *     copy … first wait … indexes … second wait … writers wait: third wait … end
 *        |<-------------------------- held ----------------------------------->|
 *
 * Nothing tells how far it is, but for the question it begins each wait with. Any wait may be over at once,
 * and then statements that were under way come too late. So it is held from the first wait on where the
 * indexes are built soon, and only otherwise from the second.
 */
#include "migrate/switch_hold.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/query.h"
#include "catalog/request.h"
#include "migrate/session.h"
#include "migrate/sql/switch_hold.h"

#define POLL_MS 4
/* Of a table of up to so many rows the indexes are built in a second or two. */
#define SOON_ROWS 1000000
/* No statement is held for longer, whatever becomes of this process and of the distribution. */
#define LONGEST_MS 10000
#define NAME_SQL "SELECT pg_catalog.set_config('application_name', 'shardferry hold', false)"

struct SwitchHold {
    PGconn *conn;
    const Table *table;
    /* A transaction may come to this table after others: it must not begin at all. */
    const Table *const *tables;
    int ntables;
    char pid[16]; /* of the distribution's backend */
    pthread_t thread;
    atomic_bool over;
};

typedef struct Watching {
    char last[64]; /* when the last wait began, as it was seen */
    int waits;
    bool switching; /* the writers wait, or will at once */
} Watching;

static bool look(const SwitchHold *hold, Watching *seen) {
    const char *params[] = {hold->pid};
    Error ignored;
    PGresult *result =
        query_run(hold->conn, "looking at a distribution", sql_switch_hold, 1, params, &ignored);

    if (!result)
        return false;
    if (query_text(result, 0, 0) && strcmp(seen->last, PQgetvalue(result, 0, 0)) != 0) {
        snprintf(seen->last, sizeof(seen->last), "%s", PQgetvalue(result, 0, 0));
        seen->waits++;
    }
    seen->switching = query_bool(result, 0, 1) || seen->waits > (hold->table->row_estimate > SOON_ROWS);
    PQclear(result);
    return true;
}

/* Returns when it is time to hold; false if it never comes. */
static bool wait_for_switch(const SwitchHold *hold) {
    Watching seen = {0};

    while (!atomic_load(&hold->over) && look(hold, &seen)) {
        if (seen.switching)
            return true;
        session_sleep(POLL_MS);
    }
    return false;
}

static void *watch(void *arg) {
    SwitchHold *hold = arg;
    Error ignored;

    /* Whether it is held cannot be known, and nothing would be done about it. */
    if (wait_for_switch(hold))
        (void)!request_hold(hold->conn, hold->tables, hold->ntables, LONGEST_MS, &ignored);
    return NULL;
}

static void discard(SwitchHold *hold) {
    PQfinish(hold->conn);
    free(hold);
}

SwitchHold *switch_hold_begin(const Migration *migration, const Table *table) {
    SwitchHold *hold;
    Error ignored;

    if (migration->config->lock_hold == 0)
        return NULL;
    hold = MEM_NEW(SwitchHold);
    hold->table = table;
    hold->tables = migration->all;
    hold->ntables = migration->nall;
    hold->conn = session_open(migration->config, &ignored);
    snprintf(hold->pid, sizeof(hold->pid), "%d", PQbackendPID(migration->conn));
    atomic_init(&hold->over, false);
    if (hold->conn && query_script(hold->conn, "naming a session", NAME_SQL, &ignored) &&
        pthread_create(&hold->thread, NULL, watch, hold) == 0)
        return hold;
    discard(hold);
    return NULL;
}

void switch_hold_end(SwitchHold *hold) {
    Error ignored;

    if (!hold)
        return;
    atomic_store(&hold->over, true);
    pthread_join(hold->thread, NULL);
    (void)!request_release(hold->conn, &ignored); /* it would end by itself */
    discard(hold);
}
