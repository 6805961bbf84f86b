/* Where a migration stands, as the database tells it; and what its operator wants of it.
 *
 * All of it is read from schema shardferry and from the server's own views, so that it can be known without a
 * runner and without a proxy, and while neither answers. `shardferry status` and a proxy's SHOW MIGRATION
 * both show this. */
#ifndef CATALOG_PROGRESS_H
#define CATALOG_PROGRESS_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "catalog/snapshot.h"

/* A runner holds this advisory lock as long as it is connected ("shardfer" in ASCII). */
#define PROGRESS_RUNNER_LOCK 8316003855878219122

/* The message of a run that stopped because it was asked to. */
#define PROGRESS_STOPPED "stopped on request"

/* A connection that never waits for long: application_name, 3 s to connect, 5 s for each statement, 1 s for
 * each lock, search_path pg_catalog. NULL with `err` (08001). */
PGconn *progress_connect(const char *conninfo, const char *application_name, Error *err) MUST_USE;

typedef enum ProgressState {
    PROGRESS_NONE, /* nothing has begun */
    PROGRESS_RUNNING,
    PROGRESS_PAUSED,     /* a runner is there, and waits to be resumed */
    PROGRESS_UNFINISHED, /* no runner, steps are left: it was killed, or asked to stop */
    PROGRESS_FAILED,     /* no runner, the last step failed */
    PROGRESS_FINISHED,   /* as far as it was told to go */
} ProgressState;

const char *progress_state_name(ProgressState state) MUST_USE; /* "running" */

typedef enum ProgressStepState {
    PROGRESS_STEP_PENDING,
    PROGRESS_STEP_RUNNING,
    PROGRESS_STEP_WAITING, /* it runs, but waits for something or is blocked */
    PROGRESS_STEP_BROKEN_OFF,
    PROGRESS_STEP_FAILED,
    PROGRESS_STEP_DONE,
} ProgressStepState;

const char *progress_step_state_name(ProgressStepState state) MUST_USE;

/* Numbers are -1, and texts NULL, where nobody knows. Times are in UTC, as ISO 8601 has them. */
typedef struct ProgressStep {
    int64_t position;
    const char *step;
    const char *object; /* the table, as SQL; NULL: it is of all */
    const char *what;   /* as a phrase */
    ProgressStepState state;
    const char *started;
    int64_t runner_pid; /* of the session that wrote this */
    int64_t elapsed_ms; /* until its end, or until now */
    int64_t silent_ms;  /* since the runner last reported */
    const char *phase;
    int64_t done, total;
    const char *unit;
    int64_t rate; /* a second */
    int64_t batch;
    int64_t left_s; /* about */
    const char *waiting_for;
    const char *blocked_by;
} ProgressStep;

typedef struct ProgressTable {
    const char *table; /* as SQL */
    const char *kind, *stage, *tenant_column;
    int64_t since_epoch;
} ProgressTable;

typedef struct ProgressProxy {
    const char *host;
    int64_t pid;
    const char *version;
    int64_t epoch;
    int64_t lease_left_ms; /* negative: it is over */
    bool revoked;
} ProgressProxy;

typedef struct Progress {
    ProgressState state;
    const char *next; /* what to do, a sentence */
    int64_t epoch;    /* 0: the schema is not there */
    bool paused;
    int64_t rows_per_second;                /* the limit; 0: none */
    const char *changed, *changed_by;       /* when and by whom paused or the limit was last changed */
    int64_t runner_pid;                     /* of its session on the server; 0: there is none */
    const char *runner_since, *runner_host; /* host NULL: the server's own, or hidden from this role */
    const char *failed_at, *failed_step, *failed_object, *failure; /* NULL: the last step did not fail */
    ProgressTable *tables;
    int ntables;
    ProgressStep *steps;
    int nsteps, ndone;
    ProgressProxy *proxies;
    int nproxies;
} Progress;

/* Reads all of it, in `arena`, as it was at one instant. False with `err`; 42501 says what to GRANT. */
MUST_USE bool progress_read(PGconn *conn, Arena *arena, Progress *progress, Error *err);

/* Seconds that are left; -1 where nobody knows. */
int64_t progress_seconds_left(int64_t done, int64_t total, int64_t rate) MUST_USE;

/* What a runner does, when it next looks, within a second. `who` is kept for people. They fail with 55000
 * where no migration has begun, and with 42501 without the privilege. */
MUST_USE bool progress_pause(PGconn *conn, bool paused, const char *who, Error *err);
/* Rows a second of a backfill; 0: no limit. */
MUST_USE bool progress_throttle(PGconn *conn, int64_t rows_per_second, const char *who, Error *err);

#endif
