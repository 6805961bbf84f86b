/* The runner's side of a watch: what it notes, and what it waits for. */
#include "migrate/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "catalog/progress.h"
#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/tasks.h"
#include "migrate/watch_internal.h"

_Static_assert(PROGRESS_RUNNER_LOCK == SESSION_LOCK_KEY, "who is found by the lock is who took it");

#define FIRST_LOOK_MS 3000

/* ---- signals ---- */

static void stop_soon(Watch *watch) {
    progress_screen_print(watch->screen,
                          "stopping: what is at hand is finished first; interrupt again to cancel it");
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->stop, true);
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

/* The runner frees what a cancellation needs only behind the signals' thread. */
static void cancel_now(Watch *watch) {
    char problem[256] = "";
    PGcancel *cancel;

    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->cancelled, true);
    cancel = watch->cancel;
    pthread_mutex_unlock(&watch->lock);
    progress_screen_print(watch->screen,
                          "cancelling it; a third time ends the runner at once, which harms nothing");
    if (cancel && !PQcancel(cancel, problem, sizeof(problem)))
        progress_screen_print(watch->screen, "could not cancel: %.*s", (int)strcspn(problem, "\n"), problem);
}

/* SIGTERM never does more than ask to stop: whoever sends it twice is not more impatient for that. */
static void on_signal(void *arg, int signo) {
    Watch *watch = arg;

    if (!atomic_load(&watch->begun))
        watch_signals_die(signo);
    if (!atomic_load(&watch->stop))
        stop_soon(watch);
    else if (signo == SIGINT && !atomic_load(&watch->cancelled))
        cancel_now(watch);
    else if (signo == SIGINT)
        watch_signals_die(signo);
}

/* ---- opening and closing ---- */

static bool start_thread(Watch *watch, Error *err) {
    int problem = watch->wake_fd < 0 ? errno : pthread_create(&watch->thread, NULL, watch_loop, watch);

    if (problem != 0)
        return error_set(err, SQLSTATE_INTERNAL_ERROR, "could not start watching: %s", strerror(problem));
    return true;
}

static void free_watch(Watch *watch) {
    watch_signals_release(watch->signals);
    PQfreeCancel(watch->cancel);
    progress_screen_free(watch->screen);
    watch_look_free(watch->look);
    if (watch->wake_fd >= 0)
        close(watch->wake_fd);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    arena_free(watch->arena);
    free(watch->entries);
    free(watch);
}

Watch *watch_open(const Config *config, FILE *out, Error *err) {
    Watch *watch = MEM_NEW(Watch);

    watch->screen = progress_screen_new(out);
    watch->look = watch_look_new(config);
    watch->arena = arena_new();
    watch->current = watch->last = -1;
    watch->found = (WatchFound){.done = -1, .total = -1};
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->changed, NULL);
    watch->wake_fd = eventfd(0, EFD_CLOEXEC);
    watch->signals = watch_signals_take(on_signal, watch, err);
    if (watch->signals && start_thread(watch, err))
        return watch;
    free_watch(watch);
    return NULL;
}

void watch_close(Watch *watch) {
    const uint64_t one = 1;

    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->ending = true;
    pthread_mutex_unlock(&watch->lock);
    if (write(watch->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort(); /* an eventfd takes a first 1 */
    pthread_join(watch->thread, NULL);
    free_watch(watch);
}

/* ---- the run's steps ---- */

static int add_entry(Watch *watch, const Migration *migration, const Step *step, const Table *table) {
    Buf what = {0};

    if (watch->nentries == watch->room) {
        watch->room = watch->room ? 2 * watch->room : 64;
        watch->entries = mem_realloc(watch->entries, (size_t)watch->room * sizeof(WatchEntry));
    }
    if (migration->undoing)
        buf_append_cstr(&what, "take back: ");
    step->describe(migration, table, &what);
    watch->entries[watch->nentries] =
        (WatchEntry){.step = step,
                     .object = table ? table_qualified_name(watch->arena, table) : NULL,
                     .what = arena_strndup(watch->arena, (const char *)buf_ptr(&what), buf_len(&what)),
                     .rows = table && table->row_estimate > 0 ? table->row_estimate : 0,
                     .rate = -1,
                     .changed = true};
    buf_free(&what);
    return watch->nentries++;
}

/* A run that begins with the first step goes on to all others, in their order. */
static void add_plan(Watch *watch, const Migration *migration, const Step *first) {
    Tasks tasks;

    if (first != steps[0].step)
        return;
    tasks = tasks_list(migration);
    for (int i = 0; i < tasks.n; i++)
        add_entry(watch, migration, tasks.items[i].step, tasks.items[i].table);
}

static bool is_of(const WatchEntry *entry, const Step *step, const char *object) {
    return entry->step == step && !entry->object == !object &&
           (!object || strcmp(entry->object, object) == 0);
}

/* The next one behind the last that is this step. */
static int find_entry(const Watch *watch, const Step *step, const char *object) {
    for (int i = watch->last + 1; i < watch->nentries; i++) {
        if (is_of(&watch->entries[i], step, object))
            return i;
    }
    return -1;
}

static void wait_for_first_look(Watch *watch) {
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIRST_LOOK_MS / 1000;
    while (!watch->looked && pthread_cond_timedwait(&watch->changed, &watch->lock, &until) == 0)
        ;
}

static void begin_run(Watch *watch, const Migration *migration, const Step *step) {
    watch->runner_pid = PQbackendPID(migration->conn);
    watch->cancel = PQgetCancel(migration->conn);
    add_plan(watch, migration, step);
    wait_for_first_look(watch);
    atomic_store(&watch->begun, true);
}

void watch_begin(const Migration *migration, const Step *step, const Table *table) {
    Watch *watch = migration->watch;
    const char *object;
    int found;

    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    if (!atomic_load(&watch->begun))
        begin_run(watch, migration, step);
    object = table ? table_qualified_name(watch->arena, table) : NULL;
    found = find_entry(watch, step, object);
    watch->current = found >= 0 ? found : add_entry(watch, migration, step, table);
    watch->entries[watch->current].started = session_clock();
    watch->entries[watch->current].changed = true;
    watch->waiting[0] = '\0';
    watch->found = (WatchFound){.done = -1, .total = -1};
    watch->pace.n = 0;
    pthread_mutex_unlock(&watch->lock);
}

void watch_end(const Migration *migration, bool done) {
    const Buf nothing = {0};
    Watch *watch = migration->watch;

    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    if (watch->current >= 0) {
        if (done)
            watch->entries[watch->current].finished = session_clock();
        watch->entries[watch->current].changed = true;
        watch->last = watch->current;
    }
    watch->current = -1;
    pthread_mutex_unlock(&watch->lock);
    progress_screen_draw(watch->screen, &nothing);
}

void watch_work(const Migration *migration, const WatchWork *work) {
    Watch *watch = migration->watch;

    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    if (watch->current >= 0) {
        watch->entries[watch->current].work = *work;
        watch->entries[watch->current].has_work = true;
    }
    pthread_mutex_unlock(&watch->lock);
}

void watch_waiting(const Migration *migration, const char *reason) {
    Watch *watch = migration->watch;

    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    progress_text_copy(watch->waiting, sizeof(watch->waiting), reason ? reason : "");
    pthread_mutex_unlock(&watch->lock);
}

/* ---- what is to be seen ---- */

static const char *set_text(char *to, size_t size, const char *text) {
    progress_text_copy(to, size, text);
    return *to ? to : NULL;
}

#define SET_TEXT(to, text) set_text((to), sizeof(to), (text))

static const char *view_waiting(const Watch *watch, WatchTexts *texts) {
    if (!atomic_load(&watch->paused))
        return SET_TEXT(texts->waiting, watch->waiting);
    (void)snprintf(texts->waiting, sizeof(texts->waiting),
                   "paused%s%s; RESUME MIGRATION in a proxy's console lets it go on%s%s",
                   watch->paused_by[0] ? " by " : "", watch->paused_by, watch->waiting[0] ? "; and " : "",
                   watch->waiting);
    return texts->waiting;
}

bool watch_view(const Watch *watch, ProgressView *view, WatchTexts *texts) {
    const WatchEntry *entry;

    *view = (ProgressView){0};
    if (watch->current < 0)
        return false;
    entry = &watch->entries[watch->current];
    *view = (ProgressView){.what = SET_TEXT(texts->what, entry->what),
                           .step = watch->current + 1,
                           .steps = watch->nentries,
                           .elapsed_ms = session_clock() - entry->started,
                           .phase = SET_TEXT(texts->phase, watch->found.phase),
                           .done = entry->has_work || watch->found.done >= 0 ? entry->work.done : -1,
                           .total = entry->work.total > 0 ? entry->work.total : -1,
                           .unit = entry->work.unit,
                           .rate = entry->rate,
                           .batch = entry->work.batch,
                           .limit = entry->work.batch > 0 ? atomic_load(&watch->rows_per_second) : 0,
                           .waiting_for = view_waiting(watch, texts),
                           .blocked_by = SET_TEXT(texts->blocked_by, watch->found.blocked_by)};
    return true;
}

/* ---- going on ---- */

static bool stopped(Error *err) {
    error_set(err, SQLSTATE_QUERY_CANCELED, PROGRESS_STOPPED);
    return error_hint(err, "Run it again: it goes on where it stopped.");
}

static void wait_out_pause(Watch *watch) {
    char by[sizeof(watch->paused_by)];

    pthread_mutex_lock(&watch->lock);
    progress_text_copy(by, sizeof(by), watch->paused_by);
    pthread_mutex_unlock(&watch->lock);
    progress_screen_print(watch->screen, "paused%s%s; RESUME MIGRATION in a proxy's console lets it go on",
                          by[0] ? " by " : "", by);
    pthread_mutex_lock(&watch->lock);
    while (atomic_load(&watch->paused) && !atomic_load(&watch->stop))
        pthread_cond_wait(&watch->changed, &watch->lock);
    pthread_mutex_unlock(&watch->lock);
    if (!atomic_load(&watch->stop))
        progress_screen_print(watch->screen, "resumed");
}

bool watch_going(const Migration *migration, Error *err) {
    Watch *watch = migration->watch;

    if (!watch)
        return true;
    if (atomic_load(&watch->paused) && !atomic_load(&watch->stop))
        wait_out_pause(watch);
    return !atomic_load(&watch->stop) || stopped(err);
}

int64_t watch_rows_per_second(const Migration *migration) {
    return migration->watch ? atomic_load(&migration->watch->rows_per_second) : 0;
}

/* ---- statements ---- */

/* What happened outside of the statement is said in words that tell what to do. */
static bool explain(const Migration *migration, const char *what, Error *err) {
    const Watch *watch = migration->watch;

    if (watch && atomic_load(&watch->cancelled) && strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) == 0) {
        error_set(err, SQLSTATE_QUERY_CANCELED, "%s: %s: cancelled", what, PROGRESS_STOPPED);
        error_hint(err, "Run it again: it mends what the statement left behind, and goes on.");
    } else if (PQstatus(migration->conn) != CONNECTION_OK) {
        error_hint(err, "Run it again when the server is there: what was done stays done.");
    }
    return false;
}

PGresult *watch_query(const Migration *migration, const char *what, const char *sql, int nparams,
                      const char *const *params, Error *err) {
    PGresult *result = query_run(migration->conn, what, sql, nparams, params, err);

    if (!result)
        (void)explain(migration, what, err);
    return result;
}

bool watch_script(const Migration *migration, const char *what, const char *sql, Error *err) {
    return query_script(migration->conn, what, sql, err) || explain(migration, what, err);
}

void watch_say(const Migration *migration, const char *fmt, va_list args) {
    if (migration->watch) {
        atomic_store(&migration->watch->said, session_clock());
        progress_screen_vprint(migration->watch->screen, fmt, args);
        return;
    }
    vfprintf(migration->out, fmt, args);
    fputc('\n', migration->out);
    fflush(migration->out);
}
