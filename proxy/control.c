/* The control thread.
 *
 *   wait → notifications, requests → [connect] → [load and publish] → [register, heartbeat] → [audit log] →
 * wait
 *
 * Each part runs when it is due; a failure of the connection puts everything that needs it off until it is
 * back. */
#include "proxy/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "catalog/load.h"
#include "catalog/query.h"
#include "catalog/request.h"
#include "catalog/stage.h"
#include "proxy/proxy.h"
#include "proxy/requests.h"

#define FIRST_BACKOFF_MS 250
#define LAST_BACKOFF_MS 15000
/* DDL comes in bursts: the catalog is read this long after the first sign of it. */
#define SETTLE_MS 30
#define LOG_FLUSH_MS 200

struct Control {
    Proxy *proxy;
    pthread_t thread;
    bool running; /* the thread was started */
    int wake_fd;
    _Atomic bool stop;
    _Atomic bool reload_wanted;
    _Atomic bool reopen_wanted;

    /* The thread's own. */
    Runtime *runtime; /* counted: the newest when it last looked */
    PGconn *conn;
    char id[37];
    bool registered;
    int64_t epoch;               /* of the last snapshot that was published */
    int64_t sent;                /* acknowledgement in the last heartbeat */
    uint64_t generation, digest; /* of the last snapshot that was published */
    int backoff_ms;
    int64_t connect_at, load_at, heartbeat_at; /* ms, monotonic */
    Requests requests;                         /* of a migration */
    char warning[512];                         /* of the last snapshot: logged when it changes */

    pthread_mutex_t status_lock;
    ControlStatus status;
};

/* In ms. */
static int heartbeat_interval(const Control *c) { return c->runtime->config->lease / 4; }

static int64_t now_ms(void) { return (int64_t)(uv_hrtime() / 1000000); }

static int64_t wall_us(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- status ---- */

void control_status(Control *c, ControlStatus *status) {
    pthread_mutex_lock(&c->status_lock);
    *status = c->status;
    pthread_mutex_unlock(&c->status_lock);
}

/* Logged when it is new: a server that is down for an hour makes one line, and one when it is back. */
static void note_failure(Control *c, const Error *err, const char *what) {
    pthread_mutex_lock(&c->status_lock);
    bool same = strcmp(c->status.last_error, err->message) == 0;
    c->status.failures++;
    c->status.connected = c->conn && PQstatus(c->conn) == CONNECTION_OK;
    c->status.registered = c->registered;
    snprintf(c->status.last_error, sizeof c->status.last_error, "%s", err->message);
    pthread_mutex_unlock(&c->status_lock);
    if (!same)
        log_failure(LOG_LEVEL_ERROR, err, "%s", what);
}

static void note_success(Control *c) {
    pthread_mutex_lock(&c->status_lock);
    bool was_failing = c->status.last_error[0] != '\0';
    c->status.connected = true;
    c->status.registered = c->registered;
    c->status.last_error[0] = '\0';
    pthread_mutex_unlock(&c->status_lock);
    if (was_failing)
        log_info("control connection: back to normal");
}

/* ---- the connection ---- */

/* When to try again what failed: later each time, but no later than a heartbeat would be due. A server that
 * is back for a while must not cost the lease, nor keep statements held. */
static int64_t after_pause(Control *c) {
    int64_t when = now_ms() + c->backoff_ms;
    int interval = heartbeat_interval(c), last = interval < LAST_BACKOFF_MS ? interval : LAST_BACKOFF_MS;
    c->backoff_ms = c->backoff_ms * 2 < last ? c->backoff_ms * 2 : last;
    return when;
}

static void disconnect(Control *c) {
    PQfinish(c->conn);
    c->conn = NULL;
    c->registered = false;
    c->connect_at = after_pause(c);
}

/* libpq would print it to stderr as it is. */
static void log_notice(void *arg, const char *message) {
    (void)arg;
    log_debug("control connection: %.*s", (int)strcspn(message, "\n"), message);
}

static bool connect_control(Control *c, Error *err) {
    char timeout[32];
    const char *conninfo = c->runtime->config->control_conninfo;
    /* A connection that hangs must not outlast the lease by much. */
    snprintf(timeout, sizeof timeout, "%d", c->runtime->config->lease);
    const char *keywords[] = {"application_name", "client_encoding", "connect_timeout",
                              "tcp_user_timeout", "dbname",          NULL};
    const char *values[] = {"shardferry control", "UTF8", "5", timeout, conninfo, NULL};
    c->conn = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(c->conn) != CONNECTION_OK) {
        char *message = mem_strdup(PQerrorMessage(c->conn));
        message[strcspn(message, "\n")] = '\0';
        error_set(err, SQLSTATE_CANNOT_CONNECT, "control connection: %s", message);
        error_hint(err, "The setting conninfo in [control] says where and as whom.");
        free(message);
        return false;
    }
    fcntl(PQsocket(c->conn), F_SETFD, FD_CLOEXEC);
    PQsetNoticeProcessor(c->conn, log_notice, NULL);
    if (proxy_announce(c->conn, c->id, err) &&
        query_script(c->conn, "listening for stage changes",
                     "LISTEN " STAGE_CHANNEL "; LISTEN " REQUEST_CHANNEL, err))
        return true;
    /* Unannounced, or deaf, it must not be worked with. */
    PQfinish(c->conn);
    c->conn = NULL;
    return false;
}

/* ---- registration ---- */

/* The epoch that no worker is behind. */
static int64_t acknowledged(const Control *c) {
    int64_t least = INT64_MAX;
    for (int i = 0; i < c->proxy->nworkers; i++) {
        int64_t epoch = atomic_load(&c->proxy->workers[i].acknowledged);
        least = epoch < least ? epoch : least;
    }
    return least;
}

/* Counted from before the request was sent: the server's count begins later. */
static void hold_lease(Control *c, uint64_t asked) {
    atomic_store(&c->proxy->lease_end, asked + (uint64_t)c->runtime->config->lease * 1000000);
}

/* For a snapshot of this epoch and generation. */
static bool register_proxy(Control *c, int64_t known, uint64_t generation, Error *err) {
    char host[256] = "?";
    int64_t epoch;
    uint64_t asked = uv_hrtime();
    gethostname(host, sizeof host - 1);
    if (!proxy_register(c->conn, c->id, host, (int)getpid(), SHARDFERRY_VERSION, c->runtime->config->lease,
                        &epoch, err))
        return false;
    c->registered = true;
    c->sent = -1; /* a registration acknowledges nothing */
    if (epoch != known) {
        c->load_at = 0;
        generation++;
    }
    atomic_store(&c->proxy->lease_generation, generation);
    hold_lease(c, asked);
    return true;
}

static bool heartbeat(Control *c, Error *err) {
    int64_t epoch, ack = acknowledged(c);
    bool registered;
    uint64_t asked = uv_hrtime();
    if (!proxy_heartbeat(c->conn, c->id, c->runtime->config->lease, ack, &registered, &epoch, err))
        return false;
    c->registered = registered;
    c->sent = ack;
    if (registered)
        hold_lease(c, asked);
    if (epoch != c->epoch)
        c->load_at = 0;
    pthread_mutex_lock(&c->status_lock);
    c->status.acknowledged = ack;
    pthread_mutex_unlock(&c->status_lock);
    return true;
}

/* ---- the catalog ---- */

static bool load_catalog(Control *c, Error *err) {
    Snapshot *snapshot = catalog_load(c->conn, c->runtime->config, err);
    if (!snapshot)
        return false;
    /* Before the snapshot is in force, so that no statement on a table under migration meets a proxy without
     * a lease. */
    bool ok =
        snapshot->epoch == 0 || c->registered || register_proxy(c, snapshot->epoch, c->generation + 1, err);
    if (snapshot->epoch != c->epoch)
        log_info("epoch %" PRId64 " of the catalog is in force", snapshot->epoch);
    if (snapshot->warning && strcmp(snapshot->warning, c->warning) != 0)
        log_warning("catalog: %s", snapshot->warning);
    snprintf(c->warning, sizeof c->warning, "%s", snapshot->warning ? snapshot->warning : "");
    uint64_t digest = snapshot_digest(snapshot);
    c->epoch = snapshot->epoch;
    pthread_mutex_lock(&c->status_lock);
    c->status.loads++;
    c->status.last_load_us = wall_us();
    pthread_mutex_unlock(&c->status_lock);
    bool wanted = atomic_load(&c->proxy->lease_generation) > c->generation; /* by a registration just made */
    if (c->generation > 0 && digest == c->digest && !wanted) {
        snapshot_unref(snapshot); /* nothing new: what was planned stays valid */
    } else {
        c->digest = digest;
        snapshot->generation = ++c->generation;
        proxy_publish(c->proxy, snapshot);
    }
    return ok;
}

/* ---- notifications ---- */

/* Those that libpq has read already, with the answer to some query perhaps. */
static void take_notifications(Control *c) {
    PGnotify *n;
    while ((n = PQnotifies(c->conn)) != NULL) {
        if (!requests_note(&c->requests, n))
            c->load_at = 0;
        PQfreemem(n);
    }
}

/* The sooner, the better: the runner waits but a few milliseconds for what it asks. */
static void serve_requests(Control *c) {
    take_notifications(c);
    if (requests_due(&c->requests))
        requests_serve(&c->requests, c->proxy, c->conn, c->id);
}

/* ---- what is due ---- */

static bool do_what_is_due(Control *c, Error *err) {
    int64_t now = now_ms();
    if (!c->conn) {
        if (now < c->connect_at)
            return true;
        if (!connect_control(c, err))
            return false;
        c->load_at = 0;
    }
    serve_requests(c);
    if (atomic_exchange(&c->reload_wanted, false) && c->load_at > now + SETTLE_MS)
        c->load_at = now + SETTLE_MS;
    /* The lease first: a catalog that cannot be read at the moment is no reason to lose it. */
    if (c->registered && (now >= c->heartbeat_at || acknowledged(c) != c->sent)) {
        c->heartbeat_at = now + heartbeat_interval(c);
        if (!heartbeat(c, err))
            return false;
        serve_requests(c);
    }
    if (now >= c->load_at) {
        c->load_at = now + c->runtime->config->catalog_refresh;
        if (!load_catalog(c, err))
            return false;
    }
    if (c->epoch > 0 && !c->registered && !register_proxy(c, c->epoch, c->generation, err))
        return false;
    c->backoff_ms = FIRST_BACKOFF_MS;
    note_success(c);
    return true;
}

static void read_notifications(Control *c) {
    if (!c->conn)
        return;
    if (PQconsumeInput(c->conn) == 0)
        c->load_at = 0; /* broken: the load finds out why */
    else
        take_notifications(c);
}

/* Milliseconds until something is due. */
static int time_to_wait(const Control *c) {
    int64_t now = now_ms(), next = now + 1000;
    if (c->conn && requests_due(&c->requests))
        return 0;
    if (c->proxy->audit_log)
        next = now + LOG_FLUSH_MS;
    if (c->runtime->config->control_conninfo) {
        int64_t due = !c->conn ? c->connect_at : c->load_at;
        if (c->conn && c->registered && c->heartbeat_at < due)
            due = c->heartbeat_at;
        next = due < next ? due : next;
    }
    return next > now ? (int)(next - now) : 0;
}

static void wait_for_work(Control *c) {
    struct pollfd fds[] = {{.fd = c->wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    uint64_t ignored;
    if (c->conn)
        fds[1].fd = PQsocket(c->conn);
    poll(fds, 2, time_to_wait(c));
    if (read(c->wake_fd, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
        log_warning("eventfd: %s", strerror(errno));
}

static void take_new_runtime(Control *c) {
    Runtime *newest = proxy_runtime(c->proxy);
    runtime_unref(c->runtime);
    c->runtime = newest;
}

static void look_after_log(Control *c) {
    AuditLog *log = c->proxy->audit_log;
    Error err;
    if (log && atomic_exchange(&c->reopen_wanted, false) && !audit_log_reopen(log, &err))
        log_failure(LOG_LEVEL_ERROR, &err, "audit log: still writing to the old file");
    audit_log_flush(log);
}

static void *run(void *arg) {
    Control *c = arg;
    while (!atomic_load(&c->stop)) {
        Error err;
        take_new_runtime(c);
        read_notifications(c);
        if (c->runtime->config->control_conninfo && !do_what_is_due(c, &err)) {
            bool broken = !c->conn || PQstatus(c->conn) != CONNECTION_OK;
            note_failure(c, &err, "catalog");
            if (broken)
                disconnect(c);
            else
                c->load_at = after_pause(c);
        }
        look_after_log(c);
        if (c->conn)
            take_notifications(c);
        wait_for_work(c);
    }
    return NULL;
}

/* ---- life ---- */

static void make_id(char id[37]) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        abort();
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 4122, version 4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(id, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* The first load, before clients are accepted: a [tenant] or [table …] section that does not fit the database
 * ends the start; a server that does not answer does not. */
static bool first_load(Control *c, Error *err) {
    if (!c->runtime->config->control_conninfo || do_what_is_due(c, err))
        return true;
    if (strcmp(err->sqlstate, SQLSTATE_CONFIG_FILE_ERROR) == 0)
        return false;
    note_failure(c, err, "catalog");
    disconnect(c);
    return true;
}

Control *control_start(Proxy *proxy, Error *err) {
    Control *c = MEM_NEW(Control);
    c->proxy = proxy;
    c->runtime = proxy_runtime(proxy);
    c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    c->backoff_ms = FIRST_BACKOFF_MS;
    c->status.configured = c->runtime->config->control_conninfo != NULL;
    make_id(c->id);
    pthread_mutex_init(&c->status_lock, NULL);
    if (!first_load(c, err))
        goto failed;
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc == 0) {
        c->running = true;
        return c;
    }
    error_set(err, SQLSTATE_INTERNAL_ERROR, "could not start the control thread: %s", strerror(rc));

failed:
    control_stop(c);
    return NULL;
}

void control_stop(Control *c) {
    Error err;
    atomic_store(&c->stop, true);
    control_wake(c);
    if (c->running)
        pthread_join(c->thread, NULL);
    if (c->registered && !proxy_unregister(c->conn, c->id, &err))
        log_failure(LOG_LEVEL_WARNING, &err,
                    "could not unregister; a migration waits for the lease to run out");
    PQfinish(c->conn);
    runtime_unref(c->runtime);
    close(c->wake_fd);
    pthread_mutex_destroy(&c->status_lock);
    free(c);
}

void control_wake(Control *c) {
    uint64_t one = 1;
    if (c && write(c->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_error("could not wake the control thread: %s", strerror(errno));
}

void control_request_reload(Control *c) {
    atomic_store(&c->reload_wanted, true);
    control_wake(c);
}

void control_request_log_reopen(Control *c) {
    atomic_store(&c->reopen_wanted, true);
    control_wake(c);
}
