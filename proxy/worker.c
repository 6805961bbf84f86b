/* Workers: accepting, taking over what other threads hand them, timeouts, draining. */
#include "proxy/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "wire/backend.h"

#define TICK_MS 250
#define LISTEN_BACKLOG 1024
#define ACCEPT_AT_ONCE 64
/* How long a session that is being closed waits for its last bytes to be taken; and at a shutdown. */
#define LINGER_MS 30000
#define LINGER_STOPPING_MS 1000

uint64_t worker_touch_clock(Worker *w) { return w->now = uv_hrtime(); }

static void sync_wall_clock(Worker *w) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    worker_touch_clock(w);
    w->wall_offset = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - (int64_t)(w->now / 1000);
}

/* ---- accepting ---- */

static void describe_peer(Session *s, const struct sockaddr_storage *address) {
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = address->ss_family == AF_INET6;
    if (s->is_unix) {
        snprintf(s->address, sizeof s->address, "unix");
        return;
    }
    uv_ip_name((const struct sockaddr *)address, host, sizeof host);
    int port = ntohs(v6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                        : ((const struct sockaddr_in *)address)->sin_port);
    snprintf(s->address, sizeof s->address, v6 ? "[%s]:%d" : "%s:%d", host, port);
}

static void refuse_login(Session *s) {
    Error err;
    error_set(&err, SQLSTATE_TOO_MANY_CONNECTIONS, "sorry, too many clients are logging in already");
    error_hint(&err, "The limit is the proxy's setting max_login_clients.");
    session_fatal(s, &err);
}

static void take_client(Worker *w, const Listener *l, int fd, const struct sockaddr_storage *address) {
    Session *s = session_new(w, l->is_unix);
    list_append(&w->sessions, &s->link);
    w->nsessions++;
    STAT_ADD(w->stats.clients, 1);
    STAT_ADD(w->stats.clients_total, 1);
    int before = atomic_fetch_add(&w->proxy->login_clients, 1);
    describe_peer(s, address);
    stream_open(&s->client, &w->loop, fd);
    session_accepted(s);
    if (before >= w->runtime->config->max_login_clients)
        refuse_login(s);
}

/* Out of descriptors or memory: the clients wait in the kernel's queue, and the listener is asked again at
 * the next tick; it would report them again at once, and without end, otherwise. */
static void pause_listener(Listener *l) {
    log_warning("accept: %s", strerror(errno));
    uv_poll_stop(&l->poll);
    l->paused = true;
}

static void accept_clients(uv_poll_t *poll, int status, int events) {
    Listener *l = poll->data;
    Worker *w = poll->loop->data;
    (void)events;
    if (status < 0) { /* libuv watches it no more */
        l->paused = true;
        return;
    }
    worker_touch_clock(w);
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof address;
        int fd = accept4(l->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_client(w, l, fd, &address);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_listener(l);
        /* Else there is no one left (another worker may have been faster), or a client was gone already. */
        return;
    }
}

static void start_listener(Listener *l) {
    l->paused = false;
    uv_poll_start(&l->poll, UV_READABLE, accept_clients);
}

bool worker_listen_fd(Worker *w, int fd, bool is_unix, Error *err) {
    if (w->nlisteners == WORKER_MAX_LISTENERS)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "listen names more than %d addresses",
                         WORKER_MAX_LISTENERS - 1);
    if (listen(fd, LISTEN_BACKLOG) != 0)
        return error_set(err, SQLSTATE_CANNOT_CONNECT, "could not listen: %s", strerror(errno));
    Listener *l = &w->listeners[w->nlisteners++];
    l->is_unix = is_unix;
    l->fd = fd;
    uv_poll_init(&w->loop, &l->poll, fd);
    l->poll.data = l;
    start_listener(l);
    return true;
}

static void listener_closed(uv_handle_t *handle) { close(((Listener *)handle->data)->fd); }

static void stop_accepting(Worker *w) {
    if (!w->accepting)
        return;
    w->accepting = false;
    for (int i = 0; i < w->nlisteners; i++)
        uv_close((uv_handle_t *)&w->listeners[i].poll, listener_closed);
}

/* ---- epochs ---- */

static void acknowledge(Worker *w) {
    int64_t epoch = w->snapshot ? w->snapshot->epoch : 0;
    if (w->draining == 0 && atomic_load(&w->acknowledged) != epoch) {
        atomic_store(&w->acknowledged, epoch);
        control_wake(w->proxy->control);
    }
}

void worker_drained_one(Worker *w) {
    w->draining--;
    acknowledge(w);
}

static void take_snapshot(Worker *w) {
    Snapshot *snapshot = atomic_exchange(&w->new_snapshot, NULL);
    if (!snapshot)
        return;
    Snapshot *old = w->snapshot;
    bool new_epoch = old && old->epoch != snapshot->epoch;
    w->snapshot = snapshot;
    if (new_epoch)
        LIST_FOREACH(it, &w->sessions)
    session_epoch_changed(LIST_ENTRY(it, Session, link));
    snapshot_unref(old);
    plan_cache_sweep(&w->plans, snapshot->generation);
    acknowledge(w);
}

static void take_runtime(Worker *w) {
    Runtime *runtime = atomic_exchange(&w->new_runtime, NULL);
    if (!runtime)
        return;
    runtime_unref(w->runtime);
    w->runtime = runtime;
    w->plans.auditing = runtime->config->audit_enabled;
    LIST_FOREACH(it, &w->sessions)
    mode_follow(LIST_ENTRY(it, Session, link));
}

/* ---- shutdown ---- */

static void close_sessions(Worker *w, ShutdownMode mode) {
    Error err;
    error_set(&err, SQLSTATE_ADMIN_SHUTDOWN, "terminating connection due to administrator command");
    LIST_FOREACH(it, &w->sessions) {
        Session *s = LIST_ENTRY(it, Session, link);
        if (mode == SHUTDOWN_NOW || (s->state != SESSION_ACTIVE && s->state != SESSION_RELAY &&
                                     s->state != SESSION_CONSOLE && s->state != SESSION_CANCEL))
            session_fatal(s, &err);
        else
            session_close_if_idle(s, &err);
    }
}

static void stop_if_empty(Worker *w) {
    if (!w->stopping || w->nsessions > 0 || uv_is_closing((uv_handle_t *)&w->tick))
        return;
    uv_close((uv_handle_t *)&w->tick, NULL);
    migration_hold_close(w);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

static void follow_shutdown(Worker *w) {
    ShutdownMode mode = (ShutdownMode)atomic_load(&w->proxy->shutdown);
    if (mode == SHUTDOWN_NONE)
        return;
    stop_accepting(w);
    w->stopping = true;
    close_sessions(w, mode);
    stop_if_empty(w);
}

void worker_session_gone(Worker *w, Session *s) {
    list_remove(&s->link);
    w->nsessions--;
    atomic_fetch_sub_explicit(&w->stats.clients, 1, memory_order_relaxed);
    stop_if_empty(w);
}

/* ---- wake-ups ---- */

static void run_jobs(Worker *w) {
    pthread_mutex_lock(&w->jobs_lock);
    Job *job = w->jobs;
    w->jobs = NULL;
    w->jobs_tail = &w->jobs;
    pthread_mutex_unlock(&w->jobs_lock);
    while (job) {
        Job *next = job->next;
        job->run(w, job);
        job = next;
    }
}

static void woken(uv_async_t *handle) {
    Worker *w = handle->data;
    worker_touch_clock(w);
    take_runtime(w);
    take_snapshot(w);
    run_jobs(w);
    migration_hold_take(w);
    hold_retry(w);
    follow_shutdown(w);
}

void worker_post(Worker *w, Job *job) {
    job->next = NULL;
    pthread_mutex_lock(&w->jobs_lock);
    *w->jobs_tail = job;
    w->jobs_tail = &job->next;
    pthread_mutex_unlock(&w->jobs_lock);
    uv_async_send(&w->wake);
}

void worker_give_snapshot(Worker *w, Snapshot *snapshot) {
    snapshot_unref(atomic_exchange(&w->new_snapshot, snapshot));
    uv_async_send(&w->wake);
}

void worker_give_runtime(Worker *w, Runtime *runtime) {
    runtime_unref(atomic_exchange(&w->new_runtime, runtime));
    uv_async_send(&w->wake);
}

/* ---- timeouts ---- */

static void check_timeouts(Worker *w, Session *s) {
    const Config *c = w->runtime->config;
    uint64_t now = w->now / 1000000;
    Error err;
    if (s->state == SESSION_CLOSING) {
        if (now - s->closing_ms > (w->stopping ? LINGER_STOPPING_MS : LINGER_MS))
            session_close(s);
        return;
    }
    if (s->logging_in && c->login_timeout > 0 && now - s->connected_ms > (uint64_t)c->login_timeout) {
        error_set(&err, SQLSTATE_QUERY_CANCELED, "canceling authentication due to timeout");
        session_fatal(s, &err);
    } else if (s->connector && w->runtime->coordinator->connect_timeout > 0 &&
               now - s->active_ms > (uint64_t)w->runtime->coordinator->connect_timeout) {
        error_set(&err, SQLSTATE_CANNOT_CONNECT, "could not connect to the database server: timeout");
        error_hint(
            &err,
            "The proxy's setting \"coordinator\" names %s, port %s; connect_timeout in it sets the time.",
            w->runtime->coordinator->host, w->runtime->coordinator->port);
        session_fatal(s, &err);
    } else if (s->state == SESSION_CANCEL && c->login_timeout > 0 &&
               now - s->connected_ms > (uint64_t)c->login_timeout) {
        session_close(s);
    } else if (c->idle_timeout > 0 && now - s->active_ms > (uint64_t)c->idle_timeout && session_is_idle(s)) {
        error_set(&err, SQLSTATE_IDLE_SESSION_TIMEOUT, "terminating connection due to idle-session timeout");
        session_fatal(s, &err);
    }
}

static void tick(uv_timer_t *timer) {
    Worker *w = timer->data;
    sync_wall_clock(w);
    LIST_FOREACH(it, &w->sessions)
    check_timeouts(w, LIST_ENTRY(it, Session, link));
    for (int i = 0; i < w->nlisteners && w->accepting; i++)
        if (w->listeners[i].paused)
            start_listener(&w->listeners[i]);
    hold_retry(w);
    follow_shutdown(w);
}

/* ---- life ---- */

bool worker_init(Worker *w, Proxy *proxy, int index, Runtime *runtime, Error *err) {
    const Config *c = runtime->config;
    w->proxy = proxy;
    w->index = index;
    w->accepting = true;
    w->runtime = runtime_ref(runtime);
    list_init(&w->sessions);
    w->jobs_tail = &w->jobs;
    pthread_mutex_init(&w->jobs_lock, NULL);
    w->buffers = mem_alloc(sizeof *w->buffers);
    w->ledger =
        audit_new((AuditLimits){c->audit_fingerprints, (size_t)c->audit_sample_bytes, c->audit_redact});
    plan_cache_init(&w->plans, c->cache_statements,
                    (FactsLimits){.max_bytes = (size_t)c->parse_bytes, .max_depth = c->parse_depth},
                    w->ledger);
    w->plans.auditing = c->audit_enabled;
    int rc = uv_loop_init(&w->loop);
    if (rc != 0)
        return error_set(err, SQLSTATE_INTERNAL_ERROR, "could not make an event loop: %s", uv_strerror(rc));
    w->loop.data = w;
    uv_async_init(&w->loop, &w->wake, woken);
    w->wake.data = w;
    uv_timer_init(&w->loop, &w->tick);
    w->tick.data = w;
    migration_hold_init(w);
    uv_timer_start(&w->tick, tick, TICK_MS, TICK_MS);
    sync_wall_clock(w);
    return true;
}

static void *run(void *arg) {
    Worker *w = arg;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    return NULL;
}

bool worker_start(Worker *w, Error *err) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, FACTS_STACK_BYTES);
    int rc = pthread_create(&w->thread, &attributes, run, w);
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return error_set(err, SQLSTATE_INTERNAL_ERROR, "could not start a worker thread: %s", strerror(rc));
    return true;
}

void worker_join(Worker *w) { pthread_join(w->thread, NULL); }

void worker_free(Worker *w) {
    uv_loop_close(&w->loop);
    plan_cache_free(&w->plans);
    snapshot_unref(w->snapshot);
    snapshot_unref(atomic_exchange(&w->new_snapshot, NULL));
    runtime_unref(w->runtime);
    runtime_unref(atomic_exchange(&w->new_runtime, NULL));
    migration_hold_free(w);
    lookup_free(w->lookup);
    audit_free(w->ledger);
    buf_free(&w->own);
    buf_free(&w->message);
    buf_free(&w->tenant);
    pthread_mutex_destroy(&w->jobs_lock);
    free(w->buffers);
}
