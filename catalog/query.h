/* Queries through libpq, with errors as values. */
#ifndef CATALOG_QUERY_H
#define CATALOG_QUERY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Runs one statement with text parameters and waits for its result. Returns the result (PQclear it) of a
 * command or a query that succeeded; NULL with `err`, which has the server's SQLSTATE, detail and hint, and
 * whose message starts with `what` ("reading the tables"). */
PGresult *query_run(PGconn *conn, const char *what, const char *sql, int nparams, const char *const *params,
                    Error *err) MUST_USE;
/* The same without parameters and for several statements; the last one's result is dropped. */
MUST_USE bool query_script(PGconn *conn, const char *what, const char *sql, Error *err);
/* Ends a transaction that failed; whatever goes wrong here shows in the connection's state. */
void query_rollback(PGconn *conn);

static inline const char *query_text(const PGresult *result, int row, int column) {
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}
/* The same, copied to the arena. */
static inline const char *query_keep(Arena *arena, const PGresult *result, int row, int column) {
    const char *text = query_text(result, row, column);

    return text ? arena_strdup(arena, text) : NULL;
}
int64_t query_int(const PGresult *result, int row, int column) MUST_USE;
static inline bool query_bool(const PGresult *result, int row, int column) {
    return PQgetvalue(result, row, column)[0] == 't';
}

#endif
