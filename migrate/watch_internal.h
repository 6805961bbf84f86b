/* A watch from inside.
 *
 *   the runner's thread  -- begins and ends steps, says how far they are: notes it here, waits for nothing
 *   the watch's thread   -- once a second asks the server on a connection of its own, writes
 * shardferry.progress, reads shardferry.control; draws the signals' thread  -- notes that it is to stop,
 * cancels
 *
 * What they share is under `lock`, which nobody holds while he waits for the server or for the terminal. */
#ifndef MIGRATE_WATCH_INTERNAL_H
#define MIGRATE_WATCH_INTERNAL_H

#include <pthread.h>

#include "migrate/progress_screen.h"
#include "migrate/progress_text.h"
#include "migrate/watch.h"
#include "migrate/watch_look.h"
#include "migrate/watch_signals.h"

#define WATCH_RATE_SAMPLES 12

/* A step of the run. Strings are in the watch's arena. */
typedef struct WatchEntry {
    const Step *step;
    const char *object; /* NULL: it is of all tables */
    const char *what;
    int64_t rows;              /* of the table, about; 0: nobody knows */
    int64_t started, finished; /* session_clock(); 0: not yet */
    WatchWork work;
    bool has_work;
    int64_t rate; /* units a second; -1: unknown */
    bool changed; /* since it was written */
} WatchEntry;

/* How much was done when: the rate is that between the oldest and the newest. */
typedef struct WatchRate {
    int64_t at[WATCH_RATE_SAMPLES], done[WATCH_RATE_SAMPLES];
    int n;
} WatchRate;

struct Watch {
    ProgressScreen *screen;
    WatchSignals *signals;
    WatchLook *look; /* the watch's thread's own */
    pthread_t thread;
    int wake_fd; /* written to when it is to end */

    _Atomic bool begun; /* the first step has begun: from then on signals do not end the process */
    _Atomic bool stop, cancelled;
    _Atomic bool paused;
    _Atomic int64_t rows_per_second;
    _Atomic int64_t said; /* session_clock() when a line was last printed */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* looked, paused or stop */
    bool looked;            /* at shardferry.control, or in vain */
    bool ending;
    Arena *arena;
    WatchEntry *entries;
    int nentries, room;
    int current; /* the step that runs; -1: none */
    int last;    /* the one before it */
    int runner_pid;
    PGcancel *cancel;
    char waiting[512], paused_by[256];
    WatchFound found;
    WatchRate pace;
};

/* The watch's thread: starts, and ends when `ending` is set and wake_fd is written to. */
void *watch_loop(void *watch);

/* With the lock held: what is to be seen of the step at hand, with texts in the arguments' memory. False:
 * there is none. */
typedef struct WatchTexts {
    char what[256], phase[sizeof(((WatchFound *)0)->phase)], waiting[1024], blocked_by[1024];
} WatchTexts;
bool watch_view(const Watch *watch, ProgressView *view, WatchTexts *texts);

#endif
