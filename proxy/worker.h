/* A worker: one thread, one libuv loop, one statement cache, and the sessions that it accepted. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include <pthread.h>
#include <uv.h>

#include "audit/audit.h"
#include "proxy/context.h"
#include "proxy/migration_hold.h"
#include "proxy/plan.h"
#include "proxy/runtime.h"
#include "proxy/stream.h"

struct Proxy;
struct Session;
struct Worker;

/* Counted by the worker, read by anyone. */
typedef struct WorkerStats {
    _Atomic uint64_t clients; /* now */
    _Atomic uint64_t clients_total;
    _Atomic uint64_t statements;
    _Atomic uint64_t rewritten;
    _Atomic uint64_t prepared_anew;
    _Atomic uint64_t errors;            /* ErrorResponses that clients got for statements */
    _Atomic uint64_t tenants_cached;    /* found in the tenant cache */
    _Atomic uint64_t tenants_looked_up; /* asked of the server */
    _Atomic uint64_t unscoped;          /* executions of multi-tenant statements */
    _Atomic uint64_t blocked;           /* statements that their mode kept from being executed */
    _Atomic uint64_t noticed;           /* executions of statements whose mode is notice */
    _Atomic uint64_t timed;             /* executions, of whatever statements */
    _Atomic uint64_t time_us; /* and how long they took; what is much longer than others counts less */
    _Atomic uint64_t bytes_from_clients;
    _Atomic uint64_t bytes_from_servers;
} WorkerStats;

#define STAT_ADD(field, n) atomic_fetch_add_explicit(&(field), (n), memory_order_relaxed)

/* Something that another thread wants done on this worker. */
typedef struct Job {
    struct Job *next;
    void (*run)(struct Worker *worker, struct Job *job); /* frees the job, or passes it on */
} Job;

typedef struct Listener {
    uv_poll_t poll;
    int fd; /* owned */
    bool is_unix;
    bool paused; /* until the next tick */
} Listener;

#define WORKER_MAX_LISTENERS 16

typedef struct Worker {
    struct Proxy *proxy;
    int index;
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick;
    Listener listeners[WORKER_MAX_LISTENERS];
    int nlisteners;
    bool accepting;
    bool stopping; /* the loop ends when the last session is closed */

    List sessions;
    int nsessions;
    uint64_t last_session;
    StreamBuffers *buffers;
    Buf own;             /* of Gather */
    Buf message;         /* for making one message */
    Buf tenant;          /* of session_tenant */
    uint64_t now;        /* ns, monotonic: start of the current batch */
    int64_t wall_offset; /* µs: wall clock minus monotonic */

    Runtime *runtime;      /* counted; what new sessions use */
    Snapshot *snapshot;    /* counted; NULL until the first is read */
    struct Lookup *lookup; /* scratch, owned; NULL while none is made */
    PlanCache plans;
    ContextTable contexts;
    AuditLedger *ledger;
    WorkerStats stats;
    int holding;                   /* sessions that hold a statement */
    MigrationHold *migration_hold; /* owned; what is to be held now; NULL: nothing */
    uv_timer_t migration_hold_timer;
    int draining;                 /* sessions with statements of an older epoch in flight */
    _Atomic int64_t acknowledged; /* epoch that all statements in flight are planned under, or a later one */

    _Atomic(Snapshot *) new_snapshot; /* handed over by the control thread */
    _Atomic(Runtime *) new_runtime;
    _Atomic(MigrationHold *) new_migration_hold;
    pthread_mutex_t jobs_lock;
    Job *jobs, **jobs_tail;
} Worker;

/* Prepares a worker (listeners are added next); the loop is not running. */
MUST_USE bool worker_init(Worker *worker, struct Proxy *proxy, int index, Runtime *runtime, Error *err);
MUST_USE bool worker_listen_fd(Worker *worker, int fd, bool is_unix,
                               Error *err); /* takes the descriptor over */
MUST_USE bool worker_start(Worker *worker, Error *err);
void worker_join(Worker *worker);
void worker_free(Worker *worker);

/* From any thread. References are handed over. */
void worker_give_snapshot(Worker *worker, Snapshot *snapshot);
void worker_give_runtime(Worker *worker, Runtime *runtime);
void worker_post(Worker *worker, Job *job);

/* On the worker's thread. */
uint64_t worker_touch_clock(Worker *worker);
static inline int64_t worker_wall_us(const Worker *w) { return (int64_t)(w->now / 1000) + w->wall_offset; }
void worker_session_gone(Worker *worker, struct Session *session);
void worker_drained_one(Worker *worker);

#endif
