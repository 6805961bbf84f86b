/* The SQL side of what is asked. See schema.sql for the tables. */
#include "catalog/request.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "catalog/sql/request_held.h"
#include "catalog/sql/request_hold.h"
#include "catalog/sql/request_latency.h"
#include "catalog/sql/request_measured.h"
#include "catalog/sql/request_release.h"

static bool run(PGconn *conn, const char *what, const char *sql, int nparams, const char *const *params,
                Error *err) {
    PGresult *result = query_run(conn, what, sql, nparams, params, err);

    PQclear(result);
    return result != NULL;
}

static void append_element(Buf *out, const char *text) {
    buf_append_cstr(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_cstr(out, "\\");
        buf_append(out, text, 1);
    }
    buf_append_cstr(out, "\"");
}

bool request_hold(PGconn *conn, const Table *const *tables, int ntables, int ms, Error *err) {
    char bound[16];
    Buf array = {0};
    bool asked;

    snprintf(bound, sizeof(bound), "%d", ms);
    buf_append_cstr(&array, "{");
    for (int i = 0; i < ntables; i++) {
        buf_append_cstr(&array, i ? ",{" : "{");
        append_element(&array, tables[i]->schema);
        buf_append_cstr(&array, ",");
        append_element(&array, tables[i]->name);
        buf_append_cstr(&array, "}");
    }
    buf_append(&array, "}", 2);
    asked = run(conn, "asking the proxies to hold new transactions", sql_request_hold, 3,
                (const char *[]){bound, (const char *)buf_ptr(&array), REQUEST_CHANNEL}, err);
    buf_free(&array);
    return asked;
}

bool request_release(PGconn *conn, Error *err) {
    return run(conn, "letting the proxies go on", sql_request_release, 1, (const char *[]){REQUEST_CHANNEL},
               err);
}

bool request_latency(PGconn *conn, Arena *arena, int64_t *us, const char **who, Error *err) {
    PGresult *result = query_run(conn, "asking the proxies for their latency", sql_request_latency, 1,
                                 (const char *[]){REQUEST_CHANNEL}, err);

    if (!result)
        return false;
    *us = -1;
    *who = NULL;
    if (query_text(result, 0, 0)) {
        *us = query_int(result, 0, 0);
        *who = arena_printf(arena, "the proxy on %s (pid %s)", PQgetvalue(result, 0, 1),
                            PQgetvalue(result, 0, 2));
    }
    PQclear(result);
    return true;
}

bool request_read_held(PGconn *conn, Arena *arena, RequestHeld *held, Error *err) {
    PGresult *result = query_run(conn, "reading what is to be held", sql_request_held, 0, NULL, err);

    if (!result)
        return false;
    *held = (RequestHeld){.ntables = PQntuples(result)};
    held->tables = ARENA_ARRAY(arena, RequestTable, held->ntables + 1);
    for (int i = 0; i < held->ntables; i++) {
        held->ms = (int)query_int(result, i, 0);
        held->tables[i].schema = arena_strdup(arena, PQgetvalue(result, i, 1));
        held->tables[i].name = arena_strdup(arena, PQgetvalue(result, i, 2));
    }
    PQclear(result);
    return true;
}

bool request_answer_latency(PGconn *conn, const char *id, int64_t us, Error *err) {
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, us);
    return run(conn, "telling the latency", sql_request_measured, 2,
               (const char *[]){id, us < 0 ? NULL : text}, err);
}
