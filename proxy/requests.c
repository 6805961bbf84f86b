/* Answering: a look at what is to be held; the mean time of the statements since the last question. */
#include "proxy/requests.h"

#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "catalog/request.h"
#include "proxy/migration_hold.h"
#include "proxy/proxy.h"

/* Nobody asks more often; a mean over a longer time says nothing of now. */
#define LATENCY_MIN_MS 200
#define LATENCY_MAX_MS 5000

bool requests_note(Requests *r, const PGnotify *n) {
    if (strcmp(n->relname, REQUEST_CHANNEL) != 0)
        return false;
    r->hold |= strcmp(n->extra, REQUEST_HOLD) == 0;
    r->latency |= strcmp(n->extra, REQUEST_LATENCY) == 0;
    return true;
}

static bool take_hold(Requests *r, Proxy *proxy, PGconn *conn, Error *err) {
    Arena *arena = arena_new();
    RequestHeld held;
    bool read = request_read_held(conn, arena, &held, err);
    if (read)
        migration_hold_give(proxy, ++r->holds, &held);
    arena_free(arena);
    return read;
}

static bool answer_latency(Requests *r, Proxy *proxy, PGconn *conn, const char *id, Error *err) {
    int64_t now = (int64_t)(uv_hrtime() / 1000000), passed = now - r->asked_ms;
    uint64_t timed = 0, time_us = 0;
    if (passed < LATENCY_MIN_MS)
        return true;
    for (int i = 0; i < proxy->nworkers; i++) {
        timed += atomic_load(&proxy->workers[i].stats.timed);
        time_us += atomic_load(&proxy->workers[i].stats.time_us);
    }
    bool known = passed <= LATENCY_MAX_MS && timed > r->timed;
    int64_t us = known ? (int64_t)((time_us - r->time_us) / (timed - r->timed)) : -1;
    r->asked_ms = now;
    r->timed = timed;
    r->time_us = time_us;
    return request_answer_latency(conn, id, us, err);
}

void requests_serve(Requests *r, Proxy *proxy, PGconn *conn, const char *id) {
    Error err;
    if (r->hold && !take_hold(r, proxy, conn, &err))
        log_failure(LOG_LEVEL_DEBUG, &err, "a migration's request");
    if (r->latency && !answer_latency(r, proxy, conn, id, &err))
        log_failure(LOG_LEVEL_DEBUG, &err, "a migration's request");
    r->hold = r->latency = false;
}
