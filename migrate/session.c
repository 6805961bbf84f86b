/* The runner's connection. What must hold of it whatever the role's and the database's settings say is set
 * here once: an empty search_path above all, so that every name is the one that is written. */
#include "migrate/session.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "catalog/query.h"
#include "migrate/sql/connection.h"
#include "migrate/sql/lock.h"
#include "migrate/sql/lock_holder.h"
#include "migrate/sql/session.h"

#define PREDECESSOR_MS 3000
#define POLL_MS 100

#define AS_TEXT(x) AS_TEXT_(x)
#define AS_TEXT_(x) #x
static const char *const LOCK_KEY = AS_TEXT(SESSION_LOCK_KEY);

/* ---- arrays ---- */

void session_array_add(SessionArray *array, const char *element) {
    buf_append_cstr(&array->text, buf_len(&array->text) == 0 ? "{\"" : ",\"");
    for (; *element; element++) {
        if (*element == '"' || *element == '\\')
            buf_append_cstr(&array->text, "\\");
        buf_append(&array->text, element, 1);
    }
    buf_append_cstr(&array->text, "\"");
}

const char *session_array_text(SessionArray *array) {
    if (buf_len(&array->text) == 0)
        return "{}";
    buf_append(&array->text, "}", 2);
    array->text.end -= 2; /* terminated, and still open for more */
    return (const char *)buf_ptr(&array->text);
}

void session_array_free(SessionArray *array) { buf_free(&array->text); }

/* ---- time ---- */

int64_t session_clock(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void session_sleep(int ms) {
    struct timespec now, pause;
    int64_t us;

    clock_gettime(CLOCK_MONOTONIC, &now);
    us = (int64_t)ms * 500 + (now.tv_nsec / 1000) % ((int64_t)ms * 1000 + 1);
    pause = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&pause, NULL);
}

/* ---- opening ---- */

static bool listens_on(const Config *config, const char *port) {
    char **items = config->listen ? config_split(config->listen) : NULL;
    bool found = false;

    for (int i = 0; items && items[i] && !found; i++) {
        const char *colon = strrchr(items[i], ':');

        found = colon && strcmp(colon + 1, port) == 0;
    }
    free(items);
    return found;
}

/* The client's port as this process sees it; 0 for a Unix socket. */
static int own_port(PGconn *conn) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);

    if (getsockname(PQsocket(conn), (struct sockaddr *)&address, &size) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

/* A proxy adds nothing that could be asked for. But behind one, the server knows neither the port that this
 * process connected to nor the one that it connected from; and the port is one of those that the same file
 * has proxies listen on. All three at once happen without a proxy only if somebody forwards exactly that
 * port. */
static bool check_direct(PGconn *conn, const Config *config, Error *err) {
    bool elsewhere, other_client;
    PGresult *result;

    if (!listens_on(config, PQport(conn)))
        return true;
    result = query_run(conn, "looking at the connection", sql_connection, 0, NULL, err);
    if (!result)
        return false;
    elsewhere = strcmp(PQgetvalue(result, 0, 0), PQport(conn)) != 0;
    other_client = own_port(conn) == 0 || atoi(PQgetvalue(result, 0, 1)) != own_port(conn);
    PQclear(result);
    if (!elsewhere || !other_client)
        return true;
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "[control] conninfo leads through the proxy at port %s",
              PQport(conn));
    return error_hint(
        err, "A migration needs a direct connection: let conninfo name the server's own host and port.");
}

PGconn *session_open(const Config *config, Error *err) {
    const char *const names[] = {"dbname", "application_name", "client_encoding", NULL};
    const char *const values[] = {config->control_conninfo, SESSION_APPLICATION_NAME, "UTF8", NULL};
    PGconn *conn = PQconnectdbParams(names, values, 1);

    if (PQstatus(conn) != CONNECTION_OK) {
        const char *message = PQerrorMessage(conn);

        error_set(err, SQLSTATE_CANNOT_CONNECT, "[control] conninfo: %.*s", (int)strcspn(message, "\n"),
                  message);
        goto failed;
    }
    /* By itself first: a limit that was there is one of the whole script. */
    if (!query_script(conn, "preparing the session", "SET statement_timeout = 0", err) ||
        !check_direct(conn, config, err) || !query_script(conn, "preparing the session", sql_session, err))
        goto failed;
    return conn;

failed:
    PQfinish(conn);
    return NULL;
}

/* ---- the lock ---- */

static bool try_lock(PGconn *conn, bool *locked, Error *err) {
    PGresult *result = query_run(conn, "taking the migration's lock", sql_lock, 1, &LOCK_KEY, err);

    if (!result)
        return false;
    *locked = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return true;
}

static bool lock_failed(PGconn *conn, Error *err) {
    PGresult *result = query_run(conn, "looking for the lock's holder", sql_lock_holder, 1, &LOCK_KEY, err);

    if (!result)
        return false;
    error_set(err, "55P03", "another migration is running in this database");
    if (PQntuples(result) > 0)
        error_detail(err, "The advisory lock %s is held by %s.", LOCK_KEY, PQgetvalue(result, 0, 0));
    error_hint(err, "Wait until it is done, or end it with pg_terminate_backend and start again.");
    PQclear(result);
    return false;
}

/* A runner that was killed leaves its lock behind until the server notices, 100 ms later at most. */
bool session_lock(PGconn *conn, Error *err) {
    int64_t until = session_clock() + PREDECESSOR_MS;
    bool locked = false;

    for (;;) {
        if (!try_lock(conn, &locked, err))
            return false;
        if (locked)
            return true;
        if (session_clock() >= until)
            return lock_failed(conn, err);
        session_sleep(POLL_MS);
    }
}
