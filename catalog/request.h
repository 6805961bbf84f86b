/* What a migration asks of the proxies while it works: to hold new transactions on some tables, and how long
 * their clients' statements take.
 *
 * A notification is only the bell: what is asked stands in schema shardferry, where not everybody may write.
 * All functions wait for the server's answer and run outside of a transaction. They return false with `err`.
 */
#ifndef CATALOG_REQUEST_H
#define CATALOG_REQUEST_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "catalog/snapshot.h"

/* The payload says which of the two. */
#define REQUEST_CHANNEL "shardferry_request"
#define REQUEST_HOLD "hold"
#define REQUEST_LATENCY "latency"

/* ---- for the runner ---- */

/* From now on, for `ms` milliseconds or until request_release. Replaces an earlier one. */
MUST_USE bool request_hold(PGconn *conn, const Table *const *tables, int ntables, int ms, Error *err);
MUST_USE bool request_release(PGconn *conn, Error *err);

/* Asks, and reads what was answered when it asked the last time, in the last few seconds: that of the slowest
 * proxy, and which one that is, in `arena`. -1 and NULL where there is no answer. */
MUST_USE bool request_latency(PGconn *conn, Arena *arena, int64_t *us, const char **who, Error *err);

/* ---- for a proxy ---- */

typedef struct RequestTable {
    const char *schema, *name;
} RequestTable;

typedef struct RequestHeld {
    int ms; /* for so long; 0: nothing is to be held */
    RequestTable *tables;
    int ntables;
} RequestHeld;

/* What is to be held now; in `arena`. */
MUST_USE bool request_read_held(PGconn *conn, Arena *arena, RequestHeld *held, Error *err);
/* id: the proxy's registration. us: -1 where there was no statement. */
MUST_USE bool request_answer_latency(PGconn *conn, const char *id, int64_t us, Error *err);

#endif
