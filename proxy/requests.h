/* What a migration asks of this proxy (catalog/request.h), answered by the control thread. */
#ifndef PROXY_REQUESTS_H
#define PROXY_REQUESTS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct Proxy;

typedef struct Requests {
    bool hold, latency; /* asked, and not answered yet */
    uint64_t holds;     /* ever */
    /* When the latency was asked for the last time (ms, monotonic), and what the workers had counted by then.
     */
    int64_t asked_ms;
    uint64_t timed, time_us;
} Requests;

/* Whether the notification is one of these; it is noted then. */
bool requests_note(Requests *requests, const PGnotify *notification) MUST_USE;
static inline bool requests_due(const Requests *requests) { return requests->hold || requests->latency; }
/* Answers what was asked; id: the proxy's registration. A failure is logged: who asks can do without. */
void requests_serve(Requests *requests, struct Proxy *proxy, PGconn *conn, const char *id);

#endif
