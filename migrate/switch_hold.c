/* Citus waits three times for its subscriptions to catch up, when the rows are copied, when the indexes are
 * there, and when the writers wait; and says when it begins with that, and when a wait is over:
 *
 *     copy | first wait | indexes … second wait | writers wait: third wait … end
 *          |            |<----------------------- held ------------------------>|
 *
 * Between the second wait and the third there is no time to hold anybody, nor for those under way to finish.
 * So it is held from the end of the first wait on, while the indexes are built. That of a small table are
 * built at once: there it is held from the beginning, about a second longer. Those of a very large one take
 * longer than anybody should be held: there it is held from the end of the second wait, which is better than
 * nothing.
 */
#include "migrate/switch_hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/query.h"
#include "catalog/request.h"
#include "migrate/session.h"

/* Of a table of up to so many rows the indexes are built before those under way have finished, and of one of
 * up to so many more in some seconds. */
#define AT_ONCE_ROWS 200000
#define SOON_ROWS 5000000
/* No statement is held for longer, whatever becomes of this process and of the distribution. */
#define LONGEST_MS 10000

/* What Citus says before the first wait, and at the end of each one, of each node. */
static const char REPLICATING[] = "replicating changes for ";
static const char CAUGHT_UP[] = "have caught up with the source LSN";

struct SwitchHold {
    const Migration *migration;
    PGconn *conn; /* the migration's is busy */
    PQnoticeReceiver before;
    const char *listen_for;
    char node[256]; /* what was said first */
    int times;      /* that it has to be said until it is time */
};

static void hear(void *arg, const PGresult *notice) {
    SwitchHold *hold = arg;
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    Error ignored;

    if (hold->times == 0 || !message || !strstr(message, hold->listen_for))
        return;
    if (!*hold->node)
        snprintf(hold->node, sizeof(hold->node), "%s", message);
    if (strncmp(hold->node, message, sizeof(hold->node) - 1) != 0)
        return; /* another node's */
    /* Whether it is held cannot be known, and nothing would be done about it. A transaction may come to this
     * table after others: it must not begin at all. */
    if (--hold->times == 0)
        (void)!request_hold(hold->conn, hold->migration->all, hold->migration->nall, LONGEST_MS, &ignored);
}

SwitchHold *switch_hold_begin(const Migration *migration, const Table *table) {
    SwitchHold *hold;
    Error ignored;

    if (migration->config->lock_hold == 0)
        return NULL;
    hold = MEM_NEW(SwitchHold);
    hold->migration = migration;
    hold->listen_for = table->row_estimate > AT_ONCE_ROWS ? CAUGHT_UP : REPLICATING;
    hold->times = table->row_estimate > SOON_ROWS ? 2 : 1;
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
