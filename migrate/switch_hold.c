/* Citus waits three times for its subscriptions to catch up: when the rows are copied, when the indexes are
 * there, and when the writers wait. Of each node it says in each wait how far it has come, and when it is
 * there:
 *
 *     copy | first wait | indexes | second wait | writers wait: third wait … end
 *                                 |<-------------- held ------------------------>|
 *
 * Between the second wait and the third there is no time to hold anybody, nor for those under way to finish.
 * But where there are writers, a subscription is behind when the second wait begins, and Citus looks again
 * only a second later: that is the time for it. A small table may be through with all of it within that
 * second: there it is held from the end of the copy on, about a second longer, and once more from the second
 * wait on, in case that a slow machine has used the time up by then.
 */
#include "migrate/switch_hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/query.h"
#include "catalog/request.h"
#include "migrate/session.h"

/* Of a table of up to so many rows the indexes are built before those under way have finished. */
#define SMALL_ROWS 200000
/* No hold lasts longer, whatever becomes of this process and of the distribution. */
#define LONGEST_MS 10000

/* What Citus says before the first wait; of each node, in each one; and at the end of that. */
static const char REPLICATING[] = "replicating changes for ";
static const char POSITION[] = "The LSN of the target subscriptions on node ";
static const char CAUGHT_UP[] = " have caught up with the source LSN";

struct SwitchHold {
    const Migration *migration;
    PGconn *conn; /* the migration's is busy */
    PQnoticeReceiver before;
    bool copied_soon; /* it is small: held as soon as it is copied */
    char node[256];   /* the first one that it waits for in each wait */
    bool caught_up;   /* the first wait is over, for that node */
    bool over;        /* the second one has begun */
};

/* Whether that is the moment to hold: the next thing that is heard of a node whose first wait is over. */
static bool is_second_wait(SwitchHold *hold, const char *message) {
    const char *node;
    size_t n;

    if (strncmp(message, POSITION, strlen(POSITION)) != 0)
        return false;
    node = message + strlen(POSITION);
    n = strcspn(node, " ") + 1;
    if (!*hold->node)
        snprintf(hold->node, sizeof(hold->node), "%.*s", (int)n, node);
    if (strncmp(hold->node, node, n) != 0)
        return false;
    if (hold->caught_up)
        return true;
    hold->caught_up = strstr(message, CAUGHT_UP) != NULL;
    return false;
}

static void hear(void *arg, const PGresult *notice) {
    SwitchHold *hold = arg;
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    Error ignored;

    if (hold->over || !message)
        return;
    hold->over = is_second_wait(hold, message);
    /* Whether they hold cannot be known, and nothing would be done about it. A transaction may come to this
     * table after others: it must not begin at all. */
    if (hold->over || (hold->copied_soon && strstr(message, REPLICATING)))
        (void)!request_hold(hold->conn, hold->migration->all, hold->migration->nall, LONGEST_MS, &ignored);
}

SwitchHold *switch_hold_begin(const Migration *migration, const Table *table) {
    SwitchHold *hold;
    Error ignored;

    if (migration->config->lock_hold == 0)
        return NULL;
    hold = MEM_NEW(SwitchHold);
    hold->migration = migration;
    hold->copied_soon = table->row_estimate <= SMALL_ROWS;
    hold->conn = session_open(migration->config, &ignored);
    if (hold->conn &&
        query_script(migration->conn, "listening to Citus", "SET client_min_messages = log", &ignored)) {
        hold->before = PQsetNoticeReceiver(migration->conn, hear, hold);
        return hold;
    }
    PQfinish(hold->conn);
    free(hold);
    return NULL;
}

void switch_hold_end(SwitchHold *hold) {
    PGconn *conn;
    Error ignored;

    if (!hold)
        return;
    conn = hold->migration->conn;
    (void)!request_release(hold->conn, &ignored); /* it would end by itself */
    PQsetNoticeReceiver(conn, hold->before, NULL);
    if (PQstatus(conn) == CONNECTION_OK) /* else the next statement says so */
        (void)!query_script(conn, "listening to Citus", "SET client_min_messages = warning", &ignored);
    PQfinish(hold->conn);
    free(hold);
}
