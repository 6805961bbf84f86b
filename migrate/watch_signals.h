/* SIGINT and SIGTERM as events of a thread of their own: they interrupt nothing else. */
#ifndef MIGRATE_WATCH_SIGNALS_H
#define MIGRATE_WATCH_SIGNALS_H

#include "base/error.h"

typedef struct WatchSignals WatchSignals;

/* From here on both signals are given to `on`, one at a time, on another thread; SIGPIPE is ignored, as
 * whoever reads what is printed may be ended by the same SIGINT. To be called before the process has threads
 * that would take them. NULL with `err`. */
WatchSignals *watch_signals_take(void (*on)(void *arg, int signo), void *arg, Error *err) MUST_USE;
/* They do again what they did; `on` runs no more. NULL is permitted. */
void watch_signals_release(WatchSignals *signals);

/* Ends the process by the signal, as if nobody had taken it. */
NORETURN void watch_signals_die(int signo);

#endif
