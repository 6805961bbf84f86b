/* The SQL side of epochs. See stage.h, and schema.sql for the tables. */
#include "catalog/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "catalog/sql/journal_write.h"
#include "catalog/sql/proxy_announce.h"
#include "catalog/sql/proxy_heartbeat.h"
#include "catalog/sql/proxy_register.h"
#include "catalog/sql/proxy_unregister.h"
#include "catalog/sql/schema.h"
#include "catalog/sql/schema_exists.h"
#include "catalog/sql/stage_bump.h"
#include "catalog/sql/stage_lock.h"
#include "catalog/sql/stage_revoke.h"
#include "catalog/sql/stage_unacknowledged.h"
#include "catalog/sql/stage_unregistered.h"
#include "catalog/sql/stage_upsert.h"

typedef struct Digits {
    char text[24];
} Digits;

static Digits digits(int64_t n) {
    Digits d;

    (void)snprintf(d.text, sizeof(d.text), "%" PRId64, n);
    return d;
}

/* For statements whose result has nothing to say. */
static bool run(PGconn *conn, const char *what, const char *sql, int nparams, const char *const *params,
                Error *err) {
    PGresult *result = query_run(conn, what, sql, nparams, params, err);

    PQclear(result);
    return result != NULL;
}

bool stage_create_schema(PGconn *conn, Error *err) {
    static const char what[] = "creating schema shardferry";
    static const char begin[] = "BEGIN; SET LOCAL search_path = pg_catalog, pg_temp; "
                                "SET LOCAL client_min_messages = warning";

    if (!query_script(conn, what, begin, err) || !query_script(conn, what, sql_schema, err) ||
        !query_script(conn, what, "COMMIT", err))
        goto failed;
    return true;
failed:
    query_rollback(conn);
    return false;
}

bool stage_schema_exists(PGconn *conn, bool *exists, Error *err) {
    PGresult *result = query_run(conn, "looking for schema shardferry", sql_schema_exists, 0, NULL, err);

    if (!result)
        return false;
    *exists = query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

bool proxy_announce(PGconn *conn, const char *id, Error *err) {
    Digits key = digits(STAGE_ANNOUNCE_KEY), bits;
    char first[9] = "";
    const char *params[] = {key.text, bits.text};
    PGresult *result;
    bool taken;

    memcpy(first, id, strnlen(id, sizeof(first) - 1));
    bits = digits((int32_t)(uint32_t)strtoul(first, NULL, 16));
    result = query_run(conn, "announcing this proxy", sql_proxy_announce, 2, params, err);
    if (!result)
        return false;
    taken = query_bool(result, 0, 0);
    PQclear(result);
    if (taken)
        return true;
    error_set(err, "55006", "announcing this proxy: advisory lock (%s, %s) is held exclusively", key.text,
              bits.text);
    return error_hint(err, "pg_locks shows who holds it: classid %s, locktype advisory.", key.text);
}

bool proxy_register(PGconn *conn, const char *id, const char *host, int pid, const char *version,
                    int lease_ms, int64_t *epoch, Error *err) {
    Digits pid_text = digits(pid), lease = digits(lease_ms);
    const char *params[] = {id, host, pid_text.text, version, lease.text};
    PGresult *result = query_run(conn, "registering this proxy", sql_proxy_register, 5, params, err);
    bool found;

    if (!result)
        return false;
    found = PQntuples(result) == 1;
    if (found)
        *epoch = query_int(result, 0, 0);
    PQclear(result);
    return found ||
           error_set(err, SQLSTATE_INTERNAL_ERROR, "registering this proxy: shardferry.epoch is empty");
}

bool proxy_heartbeat(PGconn *conn, const char *id, int lease_ms, int64_t acknowledged, bool *registered,
                     int64_t *epoch, Error *err) {
    Digits lease = digits(lease_ms), acknowledged_text = digits(acknowledged);
    const char *params[] = {id, lease.text, acknowledged_text.text};
    PGresult *result = query_run(conn, "extending this proxy's lease", sql_proxy_heartbeat, 3, params, err);

    if (!result)
        return false;
    *registered = PQntuples(result) == 1;
    if (*registered)
        *epoch = query_int(result, 0, 0);
    PQclear(result);
    return true;
}

bool proxy_unregister(PGconn *conn, const char *id, Error *err) {
    return run(conn, "unregistering this proxy", sql_proxy_unregister, 1, &id, err);
}

/* The row lock holds other stage changes and registrations off until the transaction ends. */
static bool lock_epoch(PGconn *conn, int64_t *epoch, Error *err) {
    PGresult *result = query_run(conn, "locking the epoch", sql_stage_lock, 0, NULL, err);
    bool found;

    if (!result)
        return false;
    found = PQntuples(result) == 1;
    if (found)
        *epoch = query_int(result, 0, 0);
    PQclear(result);
    return found || error_set(err, SQLSTATE_INTERNAL_ERROR, "locking the epoch: shardferry.epoch is empty");
}

static bool write_stages(PGconn *conn, const StageTable *tables, int ntables, Stage stage, int64_t *epoch,
                         Error *err) {
    int64_t current = 0;
    Digits next;
    const char *bump[1];

    if (!lock_epoch(conn, &current, err))
        return false;
    next = digits(current + 1);
    bump[0] = next.text;
    for (int i = 0; i < ntables; i++) {
        const char *params[] = {tables[i].schema,        tables[i].name, stage_name(stage),
                                tables[i].tenant_column, next.text,      kind_name(tables[i].kind)};

        if (!run(conn, "writing the stage", sql_stage_upsert, 6, params, err))
            return false;
    }
    *epoch = current + 1;
    return run(conn, "writing the epoch", sql_stage_bump, 1, bump, err);
}

bool stage_set(PGconn *conn, const StageTable *tables, int ntables, Stage stage, int64_t *epoch, Error *err) {
    bool joins = PQtransactionStatus(conn) == PQTRANS_INTRANS;

    if (joins)
        return write_stages(conn, tables, ntables, stage, epoch, err);
    if (!query_script(conn, "changing the stage", "BEGIN ISOLATION LEVEL READ COMMITTED", err) ||
        !write_stages(conn, tables, ntables, stage, epoch, err) ||
        !query_script(conn, "changing the stage", "COMMIT", err))
        goto failed;
    return true;
failed:
    query_rollback(conn);
    return false;
}

bool stage_revoke(PGconn *conn, int64_t epoch, Error *err) {
    Digits wanted = digits(epoch);
    const char *params[] = {wanted.text};

    return run(conn, "revoking registrations whose lease is over", sql_stage_revoke, 1, params, err);
}

bool stage_unacknowledged(PGconn *conn, int64_t epoch, Arena *arena, ProxyInfo **proxies, int *nproxies,
                          Error *err) {
    Digits wanted = digits(epoch);
    const char *params[] = {wanted.text};
    PGresult *result =
        query_run(conn, "looking for proxies in an older epoch", sql_stage_unacknowledged, 1, params, err);

    if (!result)
        return false;
    *nproxies = PQntuples(result);
    *proxies = ARENA_ARRAY(arena, ProxyInfo, *nproxies);
    for (int i = 0; i < *nproxies; i++) {
        ProxyInfo *proxy = &(*proxies)[i];

        proxy->id = arena_strdup(arena, PQgetvalue(result, i, 0));
        proxy->host = arena_strdup(arena, PQgetvalue(result, i, 1));
        proxy->pid = (int)query_int(result, i, 2);
        proxy->version = arena_strdup(arena, PQgetvalue(result, i, 3));
        proxy->epoch = query_int(result, i, 4);
        proxy->lease_left_ms = query_int(result, i, 5);
    }
    PQclear(result);
    return true;
}

bool stage_unregistered(PGconn *conn, Arena *arena, StageHolder **holders, int *nholders, Error *err) {
    Digits key = digits(STAGE_ANNOUNCE_KEY);
    const char *params[] = {key.text};
    PGresult *result = query_run(conn, "looking for proxies that have not registered", sql_stage_unregistered,
                                 1, params, err);

    if (!result)
        return false;
    *nholders = PQntuples(result);
    *holders = ARENA_ARRAY(arena, StageHolder, *nholders);
    for (int i = 0; i < *nholders; i++) {
        StageHolder *holder = &(*holders)[i];

        holder->pid = (int)query_int(result, i, 0);
        holder->role = arena_strdup(arena, PQgetvalue(result, i, 1));
        holder->who = arena_strdup(arena, PQgetvalue(result, i, 2));
        holder->may_register = query_bool(result, i, 3);
    }
    PQclear(result);
    return true;
}

bool journal_write(PGconn *conn, const char *step, const char *object, const char *event, const char *detail,
                   Error *err) {
    const char *params[] = {step, object, event, detail};

    return run(conn, "writing the journal", sql_journal_write, 4, params, err);
}
