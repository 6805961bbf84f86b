/* The control thread: shardferry's own connection to the database.
 *
 * It loads the catalog, listens for changes, registers the proxy, renews its lease and acknowledges epochs,
 * and writes the audit log; all with blocking calls, since no session waits for it. When the connection is
 * lost the last snapshot stays in force, and it tries again with growing pauses. */
#ifndef PROXY_CONTROL_H
#define PROXY_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct Proxy;
typedef struct Control Control;

/* Starts the thread. Without [control] in the configuration it only writes the audit log. */
Control *control_start(struct Proxy *proxy, Error *err) MUST_USE;
/* Unregisters the proxy, stops and frees. */
void control_stop(Control *control);

/* From any thread; cheap. */
void control_request_reload(Control *control);     /* the catalog may have changed */
void control_wake(Control *control);               /* an acknowledgement or a log line is waiting */
void control_request_log_reopen(Control *control); /* after the audit log was rotated */

/* For the console. */
typedef struct ControlStatus {
    bool configured;
    bool connected;
    bool registered;
    int64_t last_load_us; /* wall clock; 0: never */
    uint64_t loads;
    uint64_t failures;
    int64_t acknowledged;
    char last_error[512];
} ControlStatus;
void control_status(Control *control, ControlStatus *status);

#endif
