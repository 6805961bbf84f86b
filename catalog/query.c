/* Queries through libpq. See query.h. */
#include "catalog/query.h"

#include <stdlib.h>
#include <string.h>

/* libpq ends its own messages with a line feed, and may put several lines in one. */
static int first_line(const char *message) { return (int)strcspn(message, "\n"); }

/* Fills `err` from a result, or, where the server sent none, from the connection. */
static void set_error(PGconn *conn, const PGresult *result, const char *what, Error *err) {
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

    if (primary) {
        error_set(err, sqlstate ? sqlstate : SQLSTATE_INTERNAL_ERROR, "%s: %s", what, primary);
        if (detail)
            error_detail(err, "%s", detail);
        if (hint)
            error_hint(err, "%s", hint);
        return;
    }
    error_set(err, SQLSTATE_CONNECTION_FAILURE, "%s: %.*s", what, first_line(PQerrorMessage(conn)),
              PQerrorMessage(conn));
}

PGresult *query_run(PGconn *conn, const char *what, const char *sql, int nparams, const char *const *params,
                    Error *err) {
    PGresult *result = PQexecParams(conn, sql, nparams, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    set_error(conn, result, what, err);
    PQclear(result);
    return NULL;
}

bool query_script(PGconn *conn, const char *what, const char *sql, Error *err) {
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

    if (!done)
        set_error(conn, result, what, err);
    PQclear(result);
    return done;
}

void query_rollback(PGconn *conn) {
    if (PQtransactionStatus(conn) != PQTRANS_IDLE)
        PQclear(PQexec(conn, "ROLLBACK"));
}

int64_t query_int(const PGresult *result, int row, int column) {
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}
