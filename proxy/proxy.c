/* Starting, signals, reload, shutdown. The main thread waits for signals; everything else is the workers' and
 * the control thread's. */
#include "proxy/proxy.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "conf/settings.h"
#include "proxy/listen.h"
#include "proxy/notify.h"

/* ---- what other threads ask for ---- */

static void wake_main(Proxy *p) {
    uint64_t one = 1;
    if (write(p->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_error("could not wake the main thread: %s", strerror(errno));
}

void proxy_request_shutdown(Proxy *p, ShutdownMode mode) {
    int now = atomic_load(&p->shutdown);
    while ((int)mode > now && !atomic_compare_exchange_weak(&p->shutdown, &now, mode))
        ;
    wake_main(p);
}

Runtime *proxy_runtime(Proxy *p) {
    pthread_mutex_lock(&p->runtime_lock);
    Runtime *r = runtime_ref(p->runtime);
    pthread_mutex_unlock(&p->runtime_lock);
    return r;
}

void proxy_publish(Proxy *p, Snapshot *snapshot) {
    for (int i = 0; i < p->nworkers; i++)
        worker_give_snapshot(&p->workers[i], snapshot_ref(snapshot));
    snapshot_unref(snapshot);
}

/* Settings whose new value waits for a restart keep the old one; each is named with both values. */
static void keep_unreloadable(const Config *old, Config *new, Buf *report) {
    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];
        if (setting->reloadable || settings_is_named(setting))
            continue;
        char *before = config_show(old, setting), *after = config_show(new, setting);
        if (strcmp(before, after) != 0) {
            buf_printf(report, "%s.%s: %s is not taken over from the file before a restart; it stays %s\n",
                       setting->section, setting->name, after, before);
            config_keep(new, old, setting);
        }
        free(before);
        free(after);
    }
}

bool proxy_reload(Proxy *p, Buf *report, Error *err) {
    Runtime *old = proxy_runtime(p);
    Config *config = config_load(p->config_path, CONFIG_FOR_PROXY, err);
    if (config)
        keep_unreloadable(old->config, config, report);
    runtime_unref(old);
    Runtime *runtime = config ? runtime_new(config, err) : NULL;
    if (!runtime)
        return false;
    allowed_load(&p->allowed, runtime->config);
    pthread_mutex_lock(&p->runtime_lock);
    old = p->runtime;
    p->runtime = runtime;
    pthread_mutex_unlock(&p->runtime_lock);
    log_set_level((LogLevel)runtime->config->log_level);
    for (int i = 0; i < p->nworkers; i++)
        worker_give_runtime(&p->workers[i], runtime_ref(runtime));
    runtime_unref(old);
    control_request_reload(p->control);
    return true;
}

static void reload(Proxy *p) {
    Buf report = {0};
    Error err;
    if (proxy_reload(p, &report, &err))
        log_info("configuration reloaded");
    else
        log_failure(LOG_LEVEL_ERROR, &err, "configuration not reloaded, the old one stays in force");
    for (char *line = (char *)buf_ptr(&report), *end; line && *line; line = end + 1) {
        end = memchr(line, '\n', buf_len(&report) - (size_t)(line - (char *)buf_ptr(&report)));
        if (!end)
            break;
        log_warning("%.*s", (int)(end - line), line);
    }
    buf_free(&report);
    control_request_log_reopen(p->control);
}

/* ---- life ---- */

static bool start_workers(Proxy *p, Runtime *runtime, Error *err) {
    int n = runtime->config->workers;
    if (n == 0)
        n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    p->workers = mem_zalloc(sizeof *p->workers * (size_t)n);
    p->ledgers = mem_zalloc(sizeof(AuditLedger *) * (size_t)n);
    for (int i = 0; i < n; i++) {
        p->nworkers = i + 1;
        if (!worker_init(&p->workers[i], p, i, runtime, err))
            return false;
        p->ledgers[i] = p->workers[i].ledger;
    }
    if (!listen_all(p->workers, n, runtime->config, err))
        return false;
    p->control = control_start(p, err);
    if (!p->control)
        return false;
    for (int i = 0; i < n; i++)
        if (!worker_start(&p->workers[i], err))
            return false;
    return true;
}

static void wake_workers(Proxy *p) {
    for (int i = 0; i < p->nworkers; i++)
        uv_async_send(&p->workers[i].wake);
}

/* Waits for signals and requests until a shutdown begins; returns its mode. */
static ShutdownMode wait_for_events(Proxy *p, int signal_fd, int timeout_ms) {
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN}, {.fd = p->wake_fd, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) <= 0)
        return (ShutdownMode)atomic_load(&p->shutdown);
    struct signalfd_siginfo info;
    uint64_t ignored;
    if (read(p->wake_fd, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
        log_warning("eventfd: %s", strerror(errno));
    while (read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload(p);
        else
            proxy_request_shutdown(p, info.ssi_signo == SIGTERM ? SHUTDOWN_DRAIN : SHUTDOWN_NOW);
    }
    return (ShutdownMode)atomic_load(&p->shutdown);
}

static int sessions_left(const Proxy *p) {
    uint64_t n = 0;
    for (int i = 0; i < p->nworkers; i++)
        n += atomic_load(&p->workers[i].stats.clients);
    return (int)n;
}

/* Lets transactions finish, for a bounded time; SIGINT ends the patience. */
static void drain(Proxy *p, int signal_fd) {
    Runtime *runtime = proxy_runtime(p);
    int patience = runtime->config->drain_timeout;
    runtime_unref(runtime);
    log_info("shutting down: no new clients, %d connected", sessions_left(p));
    notify_state("STOPPING=1");
    while (atomic_load(&p->shutdown) == SHUTDOWN_DRAIN && sessions_left(p) > 0 && patience > 0) {
        wake_workers(p);
        wait_for_events(p, signal_fd, 100);
        patience -= 100;
    }
    if (sessions_left(p) > 0)
        log_warning("closing %d connections that are in use", sessions_left(p));
    atomic_store(&p->shutdown, SHUTDOWN_NOW);
    wake_workers(p);
}

static int block_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void proxy_free(Proxy *p, bool started) {
    if (started)
        for (int i = 0; i < p->nworkers; i++)
            worker_join(&p->workers[i]);
    if (p->control)
        control_stop(p->control);
    for (int i = 0; i < p->nworkers; i++)
        worker_free(&p->workers[i]);
    audit_log_close(p->audit_log);
    runtime_unref(p->runtime);
    free(p->ledgers);
    free(p->workers);
    free(p->config_path);
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    pthread_mutex_destroy(&p->runtime_lock);
    tenant_cache_free(&p->tenants);
    allowed_free(&p->allowed);
    hold_list_free(&p->held);
    free(p);
}

int proxy_run(const char *config_path, Error *err) {
    Config *config = config_load(config_path, CONFIG_FOR_PROXY, err);
    Runtime *runtime = config ? runtime_new(config, err) : NULL;
    if (!runtime)
        return 2;
    config = runtime->config;
    log_set_level((LogLevel)config->log_level);
    Proxy *p = MEM_NEW(Proxy);
    p->config_path = mem_strdup(config_path);
    p->runtime = runtime_ref(runtime); /* this reference: the settings that hold until a restart */
    p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    p->started_us = (int64_t)time(NULL) * 1000000;
    pthread_mutex_init(&p->runtime_lock, NULL);
    hold_list_init(&p->held);
    tenant_cache_init(&p->tenants, config->tenant_cache);
    allowed_init(&p->allowed);
    allowed_load(&p->allowed, config);
    int signal_fd = block_signals();
    if (config->audit_log) {
        AuditLimits limits = {config->audit_fingerprints, (size_t)config->audit_sample_bytes,
                              config->audit_redact};
        p->audit_log = audit_log_open(config->audit_log, limits, err);
        if (!p->audit_log)
            goto failed;
    }
    if (!start_workers(p, runtime, err))
        goto failed;
    log_info("shardferry " SHARDFERRY_VERSION " listens on %s%s%s, %d worker%s", config->listen,
             config->unix_socket_dir ? " and in " : "",
             config->unix_socket_dir ? config->unix_socket_dir : "", p->nworkers,
             p->nworkers == 1 ? "" : "s");
    notify_state("READY=1");
    while (wait_for_events(p, signal_fd, -1) == SHUTDOWN_NONE)
        ;
    drain(p, signal_fd);
    listen_cleanup(p->runtime->config); /* what listening needs is never reloaded */
    proxy_free(p, true);
    runtime_unref(runtime);
    close(signal_fd);
    log_info("stopped");
    return 0;

failed:
    /* Threads may run already, and the process ends now: nothing is taken down one by one. */
    close(signal_fd);
    return 1;
}
