/* The watch's thread: once a second it asks the server, more often it draws. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "migrate/session.h"
#include "migrate/watch_internal.h"

#define LOOK_EVERY_MS 1000
#define DRAW_EVERY_MS 250
/* What is over sooner is not drawn: it would only flicker. */
#define DRAW_AFTER_MS 300
/* Without a terminal: how often a long step is heard of, and when first of what it waits for. */
#define SAY_EVERY_MS 10000
#define SAY_WAITING_AFTER_MS 2500
/* That nothing moves is believed after so long: what is done is not always known anew with each look. */
#define RATE_KNOWN_AFTER_MS 3000
/* An absence shorter than that is not worth a line. */
#define SAY_ABSENT_AFTER_MS 5000

typedef struct Loop {
    Watch *watch;
    int64_t look_at, draw_at;
    /* Without a terminal: the step, when something was said of it, and whether that it waits. */
    int step;
    int64_t said;
    bool waits, waiting_said;
    int64_t waiting_since;
    int64_t absent_since; /* 0: the connection is there */
    bool absent_said;
} Loop;

/* ---- the rate ---- */

static void sample(WatchEntry *entry, WatchRate *pace) {
    int64_t now = session_clock(), ms;

    if (pace->n > 0 && entry->work.done < pace->done[pace->n - 1])
        pace->n = 0;
    if (pace->n == WATCH_RATE_SAMPLES) {
        pace->n--;
        memmove(&pace->at[0], &pace->at[1], (size_t)pace->n * sizeof(pace->at[0]));
        memmove(&pace->done[0], &pace->done[1], (size_t)pace->n * sizeof(pace->done[0]));
    }
    pace->at[pace->n] = now;
    pace->done[pace->n++] = entry->work.done;
    ms = now - pace->at[0];
    if (entry->work.done == pace->done[0] && ms < RATE_KNOWN_AFTER_MS)
        return;
    entry->rate = ms > 0 ? (entry->work.done - pace->done[0]) * 1000 / ms : -1;
}

/* ---- asking and telling the server ---- */

/* Units live as long as the program. */
static const char *unit_of(const WatchFound *found) {
    static const char *const UNITS[] = {"rows", "blocks", "transactions"};

    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        if (strcmp(found->unit, UNITS[i]) == 0)
            return UNITS[i];
    }
    return NULL;
}

/* What the step itself says of its work counts more than what the server says of its statement. */
static void take_found(Watch *watch, const WatchFound *found) {
    WatchEntry *entry = &watch->entries[watch->current];

    watch->found = *found;
    if (!entry->has_work && found->done >= 0)
        entry->work = (WatchWork){
            .done = found->done, .total = found->total > 0 ? found->total : 0, .unit = unit_of(found)};
    if (entry->has_work || (found->done >= 0 && strcmp(found->unit, "transactions") != 0))
        sample(entry, &watch->pace);
    entry->changed = true;
}

static bool look_at_statement(Watch *watch, Error *err) {
    WatchFound found;
    int step, pid;
    bool cluster;
    int64_t rows;

    pthread_mutex_lock(&watch->lock);
    step = watch->current;
    pid = watch->runner_pid;
    cluster = step >= 0 && watch->entries[step].step->needs_citus;
    rows = step >= 0 ? watch->entries[step].rows : 0;
    pthread_mutex_unlock(&watch->lock);
    if (step < 0)
        return true;
    if (!watch_look_statement(watch->look, step, pid, cluster, rows, &found, err))
        return false;
    pthread_mutex_lock(&watch->lock);
    if (watch->current == step)
        take_found(watch, &found);
    pthread_mutex_unlock(&watch->lock);
    return true;
}

static void put_row(const Watch *watch, int index, const ProgressView *view, WatchLookRows *rows) {
    const WatchEntry *entry = &watch->entries[index];
    int64_t now = session_clock();
    bool runs = index == watch->current, worked = entry->has_work || entry->work.done > 0;

    watch_look_put_number(rows, 0, index + 1, true);
    watch_look_put(rows, 1, entry->step->name);
    watch_look_put(rows, 2, entry->object);
    watch_look_put(rows, 3, entry->what);
    watch_look_put_number(rows, 4, now - entry->started, entry->started != 0);
    watch_look_put_number(rows, 5, now - entry->finished, entry->finished != 0);
    watch_look_put(rows, 6, runs ? view->phase : NULL);
    watch_look_put_number(rows, 7, entry->work.done, worked);
    watch_look_put_number(rows, 8, entry->work.total, worked && entry->work.total > 0);
    watch_look_put(rows, 9, worked ? entry->work.unit : NULL);
    watch_look_put_number(rows, 10, entry->rate, worked && entry->rate >= 0);
    watch_look_put_number(rows, 11, entry->work.batch, worked && entry->work.batch > 0);
    watch_look_put(rows, 12, runs ? view->waiting_for : NULL);
    watch_look_put(rows, 13, runs ? view->blocked_by : NULL);
}

/* The rows that changed, as changed no more. */
static void collect(Watch *watch, WatchLookRows *rows, int *nsteps, int *pid) {
    ProgressView view = {0};
    WatchTexts texts;

    pthread_mutex_lock(&watch->lock);
    (void)watch_view(watch, &view, &texts);
    *nsteps = watch->nentries;
    *pid = watch->runner_pid;
    for (int i = 0; i < watch->nentries; i++) {
        if (!watch->entries[i].changed)
            continue;
        put_row(watch, i, &view, rows);
        watch->entries[i].changed = false;
    }
    pthread_mutex_unlock(&watch->lock);
}

/* All of them are written next time: one that did not get through may have been any. */
static void mark_changed(Watch *watch) {
    pthread_mutex_lock(&watch->lock);
    for (int i = 0; i < watch->nentries; i++)
        watch->entries[i].changed = true;
    pthread_mutex_unlock(&watch->lock);
}

static void take_wishes(Watch *watch, const WatchWishes *wishes) {
    pthread_mutex_lock(&watch->lock);
    if (wishes->known) {
        progress_text_copy(watch->paused_by, sizeof(watch->paused_by), wishes->changed_by);
        atomic_store(&watch->paused, wishes->paused);
        atomic_store(&watch->rows_per_second, wishes->rows_per_second);
    }
    watch->looked = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static bool tell(Watch *watch, Error *err) {
    WatchLookRows rows = {0};
    WatchWishes wishes;
    int nsteps, pid;
    bool written;

    collect(watch, &rows, &nsteps, &pid);
    written = watch_look_write(watch->look, pid, nsteps, &rows, &wishes, err);
    if (!written || !wishes.known)
        mark_changed(watch);
    watch_look_free_rows(&rows);
    if (written)
        take_wishes(watch, &wishes);
    return written;
}

/* In vain: whoever waits for a first look waits no longer. */
static void give_up_look(Watch *watch) {
    pthread_mutex_lock(&watch->lock);
    watch->found = (WatchFound){.done = -1, .total = -1};
    watch->looked = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static void say_absent(Loop *loop, const Error *err) {
    int64_t now = session_clock();

    if (loop->absent_since == 0)
        loop->absent_since = now;
    if (loop->absent_said || !err->message[0] || now - loop->absent_since < SAY_ABSENT_AFTER_MS)
        return;
    loop->absent_said = true;
    progress_screen_print(loop->watch->screen, "  cannot look around: %s; the migration goes on",
                          err->message);
}

static void look_around(Loop *loop) {
    Watch *watch = loop->watch;
    Error err = {0};

    loop->look_at = session_clock() + LOOK_EVERY_MS;
    if (watch_look_connect(watch->look, &err) && look_at_statement(watch, &err) && tell(watch, &err)) {
        loop->absent_since = 0;
        loop->absent_said = false;
        return;
    }
    give_up_look(watch);
    say_absent(loop, &err);
}

/* ---- showing it ---- */

static void draw(const Loop *loop, const ProgressView *view) {
    ProgressScreen *screen = loop->watch->screen;
    Buf lines = {0};

    if (view->elapsed_ms >= DRAW_AFTER_MS)
        progress_text_bars(view, progress_screen_width(screen), progress_screen_colors(screen), &lines);
    progress_screen_draw(screen, &lines);
    buf_free(&lines);
}

static void say(Loop *loop, const ProgressView *view) {
    Buf line = {0};

    progress_text_line(view, &line);
    progress_screen_print(loop->watch->screen, "  %.*s", (int)buf_len(&line), (const char *)buf_ptr(&line));
    buf_free(&line);
    loop->said = session_clock();
}

/* A line now and then, and one soon where something new is waited for; what the step says itself counts, too.
 */
static void say_if_due(Loop *loop, int step, const ProgressView *view) {
    const char *waiting = view->blocked_by ? view->blocked_by : view->waiting_for ? view->waiting_for : "";
    int64_t now = session_clock(), said_by_step = atomic_load(&loop->watch->said);

    if (step != loop->step) {
        loop->step = step;
        loop->said = now - view->elapsed_ms;
        loop->waits = false;
    }
    if (said_by_step > loop->said) {
        loop->said = said_by_step;
        loop->waiting_said = true;
    }
    if ((*waiting != '\0') != loop->waits) {
        loop->waits = *waiting != '\0';
        loop->waiting_since = now;
        loop->waiting_said = false;
    }
    if (now - loop->said >= SAY_EVERY_MS ||
        (loop->waits && !loop->waiting_said && now - loop->waiting_since >= SAY_WAITING_AFTER_MS)) {
        loop->waiting_said = loop->waits;
        say(loop, view);
    }
}

static void show(Loop *loop) {
    Watch *watch = loop->watch;
    ProgressView view;
    WatchTexts texts;
    bool any;
    int step;

    loop->draw_at = session_clock() + DRAW_EVERY_MS;
    pthread_mutex_lock(&watch->lock);
    any = watch_view(watch, &view, &texts);
    step = watch->current;
    pthread_mutex_unlock(&watch->lock);
    if (!any)
        return;
    if (progress_screen_draws(watch->screen))
        draw(loop, &view);
    else
        say_if_due(loop, step, &view);
}

/* ---- the thread ---- */

static bool is_ending(Watch *watch) {
    bool ending;

    pthread_mutex_lock(&watch->lock);
    ending = watch->ending;
    pthread_mutex_unlock(&watch->lock);
    return ending;
}

void *watch_loop(void *arg) {
    Loop loop = {.watch = arg, .step = -1};
    Watch *watch = arg;

    while (!is_ending(watch)) {
        struct pollfd wake = {.fd = watch->wake_fd, .events = POLLIN};
        int64_t now = session_clock(), next;

        if (now >= loop.look_at)
            look_around(&loop);
        show(&loop);
        next = loop.look_at < loop.draw_at ? loop.look_at : loop.draw_at;
        now = session_clock();
        poll(&wake, 1, next > now ? (int)(next - now) : 0);
    }
    if (watch_look_is_connected(watch->look))
        look_around(&loop);
    return NULL;
}
