/* The process: workers, the control thread, signals, and what they share. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include <stdatomic.h>

#include "audit/audit_log.h"
#include "proxy/allowed.h"
#include "proxy/control.h"
#include "proxy/hold.h"
#include "proxy/tenant_cache.h"
#include "proxy/worker.h"

typedef enum ShutdownMode { SHUTDOWN_NONE, SHUTDOWN_DRAIN, SHUTDOWN_NOW } ShutdownMode;

typedef struct Proxy {
    char *config_path;
    Worker *workers;
    int nworkers;
    Control *control;      /* owned */
    AuditLog *audit_log;   /* owned; NULL without */
    AuditLedger **ledgers; /* one per worker, for audit_collect */
    int64_t started_us;    /* wall clock */
    _Atomic int clients;   /* sessions that asked for a database, now */
    _Atomic int login_clients;
    _Atomic uint64_t lease_end; /* ns, monotonic: until then the registration holds; 0: never registered */
    _Atomic uint64_t
        lease_generation; /* of the first snapshot that was read behind the registration, or with it: a
                             worker with an older one may have missed any number of epochs */
    TenantCache tenants;
    AllowedList allowed;
    HoldList held;              /* sessions that hold a statement, on any worker */
    _Atomic int shutdown;       /* ShutdownMode */
    _Atomic(Runtime *) runtime; /* the newest; counted; read under runtime_lock */
    pthread_mutex_t runtime_lock;
    int wake_fd; /* eventfd: a signal's work or a shutdown waits for the main thread */
    _Atomic bool reload_wanted;
} Proxy;

/* Runs until told to stop. Returns the process's exit code; `err` is filled when it could not start. */
int proxy_run(const char *config_path, Error *err);

/* The newest runtime, counted for the caller. From any thread. */
Runtime *proxy_runtime(Proxy *proxy) MUST_USE;
/* Asks the main thread; from any thread. */
void proxy_request_shutdown(Proxy *proxy, ShutdownMode mode);
/* Reads the file again and puts it into force. Appends to `report` a line per setting that cannot be
 * reloaded. From any thread but a signal handler. */
MUST_USE bool proxy_reload(Proxy *proxy, Buf *report, Error *err);
/* Gives a snapshot to all workers; takes over the reference. */
void proxy_publish(Proxy *proxy, Snapshot *snapshot);

#endif
