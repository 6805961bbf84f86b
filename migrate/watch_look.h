/* The watch's connection, and what is asked on it. It may come and go: without it nothing is shown that only
 * the server knows. */
#ifndef MIGRATE_WATCH_LOOK_H
#define MIGRATE_WATCH_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "conf/config.h"
#include "migrate/session.h"

typedef struct WatchLook WatchLook;

/* Does not connect yet. */
WatchLook *watch_look_new(const Config *config) MUST_USE;
void watch_look_free(WatchLook *look);

/* Whether it is connected; connects where it was a while ago that it was tried. False with `err`, or, where
 * it was not tried, without. */
MUST_USE bool watch_look_connect(WatchLook *look, Error *err);

/* Whether it was, the last time that anything was asked. */
bool watch_look_is_connected(const WatchLook *look) MUST_USE;

/* How far a session's statement is and who is in its way. Texts are empty, and numbers -1, where nobody
 * knows. */
typedef struct WatchFound {
    char phase[128], blocked_by[1024], unit[16];
    int64_t done, total;
} WatchFound;

/* `step` tells one statement's step from the next one's; `cluster`: Citus works on other nodes for it;
 * `rows`: how many a copy has, 0 if nobody knows. False with `err`; whether the connection is still there is
 * for the next call to find out. */
MUST_USE bool watch_look_statement(WatchLook *look, int step, int pid, bool cluster, int64_t rows,
                                   WatchFound *found, Error *err);

/* Rows for shardferry.progress, as arrays of texts; an empty text is what nobody knows. */
enum { WATCH_LOOK_COLUMNS = 14 };
typedef struct WatchLookRows {
    SessionArray columns[WATCH_LOOK_COLUMNS];
    int n;
} WatchLookRows;
/* One value of the row at hand; called for each column in turn. */
void watch_look_put(WatchLookRows *rows, int column, const char *text);
void watch_look_put_number(WatchLookRows *rows, int column, int64_t n, bool known);
void watch_look_free_rows(WatchLookRows *rows);

typedef struct WatchWishes {
    bool known; /* the schema is there */
    bool paused;
    int64_t rows_per_second; /* 0: no limit */
    char changed_by[256];
} WatchWishes;

/* Writes the rows of a run of `nsteps` steps, and reads what the operator wants. Where the schema is not
 * there yet nothing is written, and nothing known. */
MUST_USE bool watch_look_write(WatchLook *look, int pid, int nsteps, WatchLookRows *rows, WatchWishes *wishes,
                               Error *err);

#endif
