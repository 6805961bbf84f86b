/* Adapting the batch, and the reasons to wait. */
#include "migrate/pace.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "catalog/request.h"
#include "migrate/session.h"
#include "migrate/sql/lag.h"
#include "migrate/watch.h"

#define LOOK_EVERY_MS 1000
#define LOOK_AGAIN_MS 500
#define SLICE_MS 50

void pace_begin(Pace *pace, const Migration *migration) {
    *pace = (Pace){.migration = migration, .batch = PACE_FIRST_BATCH};
}

/* ---- the batch ---- */

static int64_t within(int64_t n, int64_t least, int64_t most) {
    return n < least ? least : n > most ? most : n;
}

void pace_took(Pace *pace, int64_t rows, int64_t ms) {
    int64_t target = pace->migration->config->batch_duration, limit = watch_rows_per_second(pace->migration);
    int64_t next = ms > 0 ? pace->batch * target / ms : 2 * pace->batch;

    next = within(next, pace->batch / 2, 2 * pace->batch);
    pace->batch = within(next, PACE_SMALLEST_BATCH, PACE_LARGEST_BATCH);
    if (limit > 0) {
        int64_t now = session_clock(), begun = pace->free_at > now - ms ? pace->free_at : now - ms;

        pace->free_at = begun + rows * 1000 / limit;
        pace->batch = within(pace->batch, 1, limit);
    }
}

void pace_blocked(Pace *pace) {
    pace->batch = within(pace->batch / 2, PACE_SMALLEST_BATCH, PACE_LARGEST_BATCH);
}

/* ---- reasons to wait ---- */

static bool read_lag(const Migration *migration, const char **reason, Error *err) {
    PGresult *result;

    if (migration->config->max_replication_lag == 0)
        return true;
    result = query_run(migration->conn, "looking at the standbys", sql_lag, 0, NULL, err);
    if (!result)
        return false;
    if (PQntuples(result) == 1 && query_int(result, 0, 0) > migration->config->max_replication_lag)
        *reason = arena_printf(migration->arena, "standby %s, which is %" PRId64 " ms behind",
                               PQgetvalue(result, 0, 1), query_int(result, 0, 0));
    PQclear(result);
    return true;
}

static bool read_latency(const Migration *migration, const char **reason, Error *err) {
    const char *who;
    int64_t us;

    if (migration->config->max_latency == 0)
        return true;
    if (!request_latency(migration->conn, migration->arena, &us, &who, err))
        return false;
    if (us > (int64_t)migration->config->max_latency * 1000)
        *reason = arena_printf(
            migration->arena, "%s, whose clients' statements take %" PRId64 " ms on average", who, us / 1000);
    return true;
}

bool pace_reason(const Migration *migration, const char **reason, Error *err) {
    *reason = NULL;
    return read_lag(migration, reason, err) && (*reason || read_latency(migration, reason, err));
}

static bool wait_for_others(Pace *pace, Error *err) {
    const Migration *migration = pace->migration;
    const char *reason;
    bool waits = false;

    if (session_clock() - pace->looked < LOOK_EVERY_MS)
        return true;
    for (;;) {
        if (!pace_reason(migration, &reason, err))
            return false;
        if (!reason)
            break;
        watch_waiting(migration, reason);
        waits = true;
        session_sleep(LOOK_AGAIN_MS);
        if (!watch_going(migration, err))
            return false;
    }
    pace->looked = session_clock();
    if (waits)
        watch_waiting(migration, NULL);
    return true;
}

/* The limit may be changed, or lifted, while it is waited for. */
static bool wait_for_limit(Pace *pace, Error *err) {
    const Migration *migration = pace->migration;
    bool waits = false;
    int64_t limit;

    while ((limit = watch_rows_per_second(migration)) > 0 && session_clock() < pace->free_at) {
        if (!waits)
            watch_waiting(
                migration,
                arena_printf(migration->arena, "the operator's limit of %" PRId64 " rows a second", limit));
        waits = true;
        session_sleep(SLICE_MS);
        if (!watch_going(migration, err))
            return false;
    }
    if (waits)
        watch_waiting(migration, NULL);
    return true;
}

bool pace_wait(Pace *pace, Error *err) {
    return watch_going(pace->migration, err) && wait_for_limit(pace, err) && wait_for_others(pace, err);
}
