/* What goes on beside a step: the operator's wishes, progress for people, and who is in the way.
 *
 * The runner works on one connection and looks around on another. While a statement runs, a watch asks about
 * once a second how far it is and who blocks it, writes that to shardferry.progress, shows it, and hears
 * SIGINT: the first one lets the batch or the statement at hand finish and stops then, the second one cancels
 * it. Between two batches it waits while the migration is paused.
 *
 * All functions take a migration whose watch is NULL (nothing is shown, nobody is asked). */
#ifndef MIGRATE_WATCH_H
#define MIGRATE_WATCH_H

#include "migrate/step.h"

#define WATCH_APPLICATION_NAME "shardferry watch"

/* Opens the second connection and takes over SIGINT until watch_close. NULL with `err`. */
Watch *watch_open(const Config *config, FILE *out, Error *err) MUST_USE;
void watch_close(Watch *watch); /* NULL is permitted */

/* A step begins, or ends (`done`: successfully). */
void watch_begin(const Migration *migration, const Step *step, const Table *table);
void watch_end(const Migration *migration, bool done);

/* query_run and query_script, watched. A statement that was cancelled by SIGINT fails with 57014. */
PGresult *watch_query(const Migration *migration, const char *what, const char *sql, int nparams,
                      const char *const *params, Error *err) MUST_USE;
MUST_USE bool watch_script(const Migration *migration, const char *what, const char *sql, Error *err);

/* Whether to go on, asked between two pieces of work: returns at once, or when a pause is over. False with
 * 57014 if the runner was asked to stop. */
MUST_USE bool watch_going(const Migration *migration, Error *err);

/* How far the step at hand is; `total` is 0 where nobody knows. */
typedef struct WatchWork {
    int64_t done, total;
    const char *unit; /* "rows" */
    int64_t batch;    /* units in a batch; 0: no batches */
} WatchWork;
void watch_work(const Migration *migration, const WatchWork *work);
/* What it waits for at the moment, as a phrase; NULL: it works. */
void watch_waiting(const Migration *migration, const char *reason);

/* The operator's limit for a backfill; 0: none. */
int64_t watch_rows_per_second(const Migration *migration);

/* A line for people, at once, above whatever is being drawn. */
void watch_say(const Migration *migration, const char *fmt, va_list args);

#endif
