/* Trying for locks: short tries, longer and longer pauses, and the names of those in the way.
 *
 * A try, where the proxies can help:
 *
 *   hold → those who have the tables finish → lock, change, commit → release → (pause as long as was held)
 *
 * Holding helps against many short transactions, one of which always has the table. Against one that has been
 * open for longer than a hold may last it is of no use, and would only add to what the application waits for.
 */
#include "migrate/lock.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/hold.h"
#include "migrate/session.h"
#include "migrate/sql/blockers.h"
#include "migrate/watch.h"

/* The first tries are short; where they are in vain, others have to wait a little longer behind the next
 * ones, but less than the second after which a server, or Citus, ends one of those who wait for each other.
 */
#define LOCK_TIMEOUT_MS 100
#define LOCK_TIMEOUT_MAX_MS 600
#define TRIES_AT_A_TIMEOUT 4
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 1000
#define POLL_MS 4
#define SETTLE_MS 25 /* several times what a proxy takes to hold */
/* Where somebody has the tables all the time, even while others are held, it is tried all the same in the
 * end. */
#define SHARE_ALONE 4 / 5 /* of lock_wait */
#define PAUSE_FOR_OLD_MS 100
#define SAY_EVERY_MS 10000

#define LOCK_NOT_AVAILABLE "55P03"
#define DEADLOCK_DETECTED "40P01"

typedef struct Attempt {
    const Migration *migration;
    const Table *table;
    const char *what, *sql;
    const Table **tables; /* all that it locks, as far as one can tell */
    int ntables;
    const char *names; /* theirs, as an array */
    bool may_hold;
    int64_t begun;
    int tries, timeout, pause; /* ms */
    const char *blockers;      /* who was in the way when it last failed */
} Attempt;

static void put_transaction(const char *sql, int timeout, Buf *out) {
    buf_printf(out, "BEGIN;\nSET LOCAL lock_timeout = '%dms';\n%sCOMMIT;\n", timeout, sql);
}

void lock_script(const char *sql, Buf *out) { put_transaction(sql, LOCK_TIMEOUT_MS, out); }

/* ---- the tables ---- */

static void add_table(Attempt *attempt, const Table *table) {
    for (int i = 0; i < attempt->ntables; i++) {
        if (attempt->tables[i] == table)
            return;
    }
    attempt->tables[attempt->ntables++] = table;
}

/* Those that the script names; and where it drops a constraint, which may be a foreign key, their parents.
 * One too many is held for nothing; one that is missing is only harder to lock. */
static void find_tables(Attempt *attempt, const Table *const *tables, int ntables) {
    const Migration *migration = attempt->migration;
    const Snapshot *snapshot = migration->snapshot;
    bool drops = strstr(attempt->sql, "DROP CONSTRAINT") != NULL;
    SessionArray names = {0};
    int named;

    attempt->tables = ARENA_ARRAY(migration->arena, const Table *, snapshot->ntables + ntables);
    for (int i = 0; i < ntables; i++)
        add_table(attempt, tables[i]);
    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (strchr("rp", table->relkind) &&
            strstr(attempt->sql, table_qualified_name(migration->arena, table)))
            add_table(attempt, table);
    }
    named = attempt->ntables;
    for (int i = 0; drops && i < named; i++) {
        for (int k = 0; k < attempt->tables[i]->nforeign_keys; k++)
            add_table(attempt, attempt->tables[i]->foreign_keys[k]->parent);
    }
    for (int i = 0; i < attempt->ntables; i++)
        session_array_add(&names, table_qualified_name(migration->arena, attempt->tables[i]));
    attempt->names = arena_strdup(migration->arena, session_array_text(&names));
    session_array_free(&names);
}

/* ---- those in the way ---- */

typedef struct Blockers {
    const char *names;      /* in the arena; empty if there are none any more */
    int64_t oldest;         /* ms */
    const char *autovacuum; /* a pid; NULL: none that could be sent away */
} Blockers;

static bool read_blockers(const Attempt *attempt, Blockers *blockers, Error *err) {
    const Migration *migration = attempt->migration;
    PGresult *result =
        query_run(migration->conn, "looking for who holds the table", sql_blockers, 1, &attempt->names, err);
    Buf list = {0};

    if (!result)
        return false;
    *blockers = (Blockers){0};
    for (int i = 0; i < PQntuples(result); i++) {
        int64_t ms = PQgetisnull(result, i, 1) ? 0 : query_int(result, i, 1);

        buf_printf(&list, "%s%s", i ? "; " : "", PQgetvalue(result, i, 0));
        if (!PQgetisnull(result, i, 2))
            blockers->autovacuum = arena_strdup(migration->arena, PQgetvalue(result, i, 2));
        else if (ms > blockers->oldest)
            blockers->oldest = ms;
    }
    blockers->names = arena_strndup(migration->arena, (const char *)buf_ptr(&list), buf_len(&list));
    buf_free(&list);
    PQclear(result);
    return true;
}

/* The server does the same for whoever waits long enough: it is begun again later. Not everybody may. */
static void send_away(const Attempt *attempt, const char *autovacuum) {
    Error ignored;

    PQclear(query_run(attempt->migration->conn, "ending an autovacuum", "SELECT pg_cancel_backend($1::int)",
                      1, &autovacuum, &ignored));
}

/* ---- tries ---- */

static bool run_transaction(const Attempt *attempt, int timeout, bool *blocked, Error *err) {
    const Migration *migration = attempt->migration;
    Buf script = {0};
    bool done;

    put_transaction(attempt->sql, timeout, &script);
    buf_append(&script, "", 1);
    done = watch_script(migration, attempt->what, (const char *)buf_ptr(&script), err);
    buf_free(&script);
    *blocked = false;
    if (done)
        return true;
    query_rollback(migration->conn);
    *blocked =
        strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 || strcmp(err->sqlstate, DEADLOCK_DETECTED) == 0;
    return false;
}

/* Until nobody has the tables, or there is just time for the try. *alone: nobody has them. On Citus nobody
 * must have them for a moment: a proxy may not have heard of the hold yet. */
static bool wait_for_blockers(const Attempt *attempt, int64_t until, bool *alone, Error *err) {
    bool settled = !attempt->migration->snapshot->has_citus;
    Blockers blockers;

    for (;;) {
        if (!read_blockers(attempt, &blockers, err))
            return false;
        *alone = !*blockers.names;
        if ((*alone && settled) || session_clock() >= until)
            return true;
        settled |= *alone;
        session_sleep(*alone ? SETTLE_MS : POLL_MS);
    }
}

/* Whether it is tried only where nobody has the tables. Without Citus nobody is harmed by a try in vain: it
 * is over before the server looks for a deadlock. */
static bool only_alone(const Attempt *attempt) {
    const Migration *migration = attempt->migration;

    return migration->snapshot->has_citus &&
           session_clock() - attempt->begun < (int64_t)migration->lock_wait * SHARE_ALONE;
}

static bool blocked_by_others(bool *blocked, Error *err) {
    *blocked = true;
    return error_set(err, LOCK_NOT_AVAILABLE, "others have the tables");
}

/* Nobody is waited for by somebody whom he waits for: what would be a deadlock for a moment only, until the
 * lock_timeout ends it, is one for Citus if it looks just then, and ends the application's transaction. */
static bool run_alone(const Attempt *attempt, int64_t until, int timeout, bool *blocked, Error *err) {
    bool alone;

    if (!wait_for_blockers(attempt, until, &alone, err))
        return false;
    if (alone || !only_alone(attempt))
        return run_transaction(attempt, timeout, blocked, err);
    return blocked_by_others(blocked, err);
}

static bool try_holding(Attempt *attempt, bool *blocked, Error *err) {
    int bound = attempt->migration->config->lock_hold;
    int wanted =
        only_alone(attempt) ? LOCK_TIMEOUT_MS : attempt->timeout; /* who is alone need not wait long */
    int timeout = wanted < bound / 2 ? wanted : bound / 2 + 1;
    int64_t start = session_clock();
    bool done;

    hold_begin(attempt->migration, attempt->tables, attempt->ntables);
    done = run_alone(attempt, start + bound - timeout, timeout, blocked, err);
    hold_end(attempt->migration);
    if (session_clock() - start > attempt->pause)
        attempt->pause = (int)(session_clock() - start); /* those who were held have their turn */
    return done;
}

static bool try_once(Attempt *attempt, bool *blocked, Error *err) {
    Blockers blockers;

    *blocked = false;
    attempt->tries++;
    if (attempt->tries % TRIES_AT_A_TIMEOUT == 0 && attempt->timeout < LOCK_TIMEOUT_MAX_MS)
        attempt->timeout =
            2 * attempt->timeout < LOCK_TIMEOUT_MAX_MS ? 2 * attempt->timeout : LOCK_TIMEOUT_MAX_MS;
    if (!read_blockers(attempt, &blockers, err))
        return false;
    if (blockers.autovacuum)
        send_away(attempt, blockers.autovacuum);
    if (attempt->may_hold && blockers.oldest < attempt->migration->config->lock_hold)
        return try_holding(attempt, blocked, err);
    if (attempt->may_hold && only_alone(attempt)) {
        attempt->pause = PAUSE_FOR_OLD_MS; /* others begin meanwhile, and grow old */
        return blocked_by_others(blocked, err);
    }
    return run_transaction(attempt, attempt->timeout, blocked, err);
}

static bool give_up(const Attempt *attempt, Error *err) {
    error_set(err, LOCK_NOT_AVAILABLE, "could not lock %s in %d tries within %d s",
              table_qualified_name(attempt->migration->arena, attempt->table), attempt->tries,
              attempt->migration->lock_wait / 1000);
    if (*attempt->blockers)
        error_detail(err, "It is held by %s", attempt->blockers);
    return error_hint(err, "Run it again when they are done, or end them with pg_terminate_backend.");
}

/* Others are given time; false if there is none left. */
static bool make_pause(Attempt *attempt, int64_t start, int64_t *said, Error *err) {
    const Migration *migration = attempt->migration;
    int64_t now = session_clock();
    Blockers blockers;

    if (!read_blockers(attempt, &blockers, err))
        return false;
    if (*blockers.names)
        attempt->blockers = blockers.names;
    if (now - start >= migration->lock_wait)
        return give_up(attempt, err);
    if (*attempt->blockers) {
        watch_waiting(migration, arena_printf(migration->arena, "a lock, held by %s", attempt->blockers));
        if (now - *said >= SAY_EVERY_MS) {
            step_say(migration, "  waiting for a lock on %s, held by %s", attempt->table->name,
                     attempt->blockers);
            *said = now;
        }
    }
    if (!watch_going(migration, err))
        return false;
    session_sleep(attempt->pause);
    attempt->pause = attempt->pause * 2 < PAUSE_MAX_MS ? attempt->pause * 2 : PAUSE_MAX_MS;
    return true;
}

bool lock_run(const Migration *migration, const Table *table, const char *what, const char *sql, Error *err) {
    return lock_run_all(migration, &table, 1, what, sql, err);
}

bool lock_run_all(const Migration *migration, const Table *const *tables, int ntables, const char *what,
                  const char *sql, Error *err) {
    int64_t start = session_clock(), said = start;
    bool blocked;
    Attempt attempt = {
        .migration = migration,
        .table = tables[0],
        .what = what,
        .sql = sql,
        .blockers = "",
        .begun = start,
        .timeout = LOCK_TIMEOUT_MS,
        .pause = PAUSE_MIN_MS,
        /* A validation takes its time, and a lock that no statement of an application waits for. */
        .may_hold = migration->config->lock_hold > 0 && !strstr(sql, " VALIDATE CONSTRAINT ")};

    find_tables(&attempt, tables, ntables);
    while (!try_once(&attempt, &blocked, err)) {
        if (!blocked || !make_pause(&attempt, start, &said, err))
            return false;
    }
    watch_waiting(migration, NULL);
    return true;
}
