/* The runner's connection: direct, alone, and short of breath where locks are concerned. */
#ifndef MIGRATE_SESSION_H
#define MIGRATE_SESSION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "conf/config.h"

#define SESSION_APPLICATION_NAME "shardferry migrate"

/* One migration runs at a time in a database: the session holds this advisory lock ("shardfer" in ASCII). */
#define SESSION_LOCK_KEY 8316003855878219122

/* Connects by [control] conninfo and prepares the session: application_name, search_path pg_catalog, UTF-8,
 * and a server that looks every 100 ms whether this client is still there, so that no statement outlives the
 * runner unnoticed. Refuses a connection that leads through a proxy of this configuration (F0000). NULL with
 * `err`. */
PGconn *session_open(const Config *config, Error *err) MUST_USE;

/* Takes the lock; waits a moment for a predecessor that was killed. False with `err`, which says who holds
 * it. */
MUST_USE bool session_lock(PGconn *conn, Error *err);

/* An array literal in the making, for a parameter of type oid[] or text[]. */
typedef struct SessionArray {
    Buf text;
} SessionArray;
void session_array_add(SessionArray *array, const char *element);
const char *session_array_text(SessionArray *array); /* valid until the next call */
void session_array_free(SessionArray *array);

/* Sleeps about `ms` milliseconds: between half and one and a half of them, so that two who collide part. */
void session_sleep(int ms);
/* Milliseconds of a clock that nobody sets. */
int64_t session_clock(void);

#endif
