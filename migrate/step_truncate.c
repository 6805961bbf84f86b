/* The rows that create_distributed_table has left on the coordinator go. Nobody sees them any more, but they
 * take up room.
 *
 * Citus truncates with CASCADE, along foreign keys of any table: that none leads to one whose rows are on the
 * coordinator alone is found out in the same transaction, under locks that keep new keys away. It is found
 * done when the tables have no block there; a table of which it cannot be proved that it is complete where it
 * was distributed to is not touched. */
#include "migrate/step.h"

#include <inttypes.h>
#include <stdio.h>

#include "catalog/query.h"
#include "migrate/citus.h"
#include "migrate/lock.h"
#include "migrate/proof.h"
#include "migrate/session.h"
#include "migrate/sql/local_data.h"
#include "migrate/sql/truncate.h"
#include "migrate/watch.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "truncate the copies that were left on the coordinator");
}

static const char *truncate_sql(const Migration *migration, const Table *table) {
    Buf out = {0};

    buf_append_cstr(&out, "SELECT pg_catalog.set_config('shardferry.table', ");
    step_literal(&out, table_qualified_name(migration->arena, table));
    buf_printf(&out, ", true);\nSET LOCAL search_path = pg_catalog;\n%s", sql_truncate);
    return step_text(migration, &out);
}

/* All that was handed to Citus: distributed ones first. */
static const Table **find_tables(const Migration *migration, int *n) {
    const Table **tables =
        ARENA_ARRAY(migration->arena, const Table *, migration->nall + migration->nreferences + 1);

    *n = 0;
    for (int i = 0; i < migration->nall; i++)
        tables[(*n)++] = migration->all[i];
    for (int i = 0; i < migration->nreferences; i++)
        tables[(*n)++] = migration->references[i];
    return tables;
}

/* Those that have rows left behind, in `left`. */
static bool read_left(const Migration *migration, const Table ***left, int *nleft, Error *err) {
    int n;
    const Table **tables = find_tables(migration, &n);
    SessionArray oids = {0};
    PGresult *result;
    bool there;
    const char *param;

    *left = ARENA_ARRAY(migration->arena, const Table *, n + 1);
    *nleft = 0;
    if (!citus_is_there(migration, &there, err))
        return false;
    if (!there)
        return true;
    for (int i = 0; i < n; i++) {
        CitusTable found;

        if (!citus_table(migration, tables[i], &found, err)) {
            session_array_free(&oids);
            return false;
        }
        session_array_add(&oids, arena_printf(migration->arena, "%" PRIu32, found.oid));
    }
    param = session_array_text(&oids);
    result = query_run(migration->conn, "looking at what was left behind", sql_local_data, 1, &param, err);
    session_array_free(&oids);
    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        (*left)[(*nleft)++] = tables[query_int(result, i, 0)];
    PQclear(result);
    return true;
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    int n;
    const Table **tables = find_tables(migration, &n);

    (void)table;
    for (int i = 0; i < n; i++)
        lock_script(truncate_sql(migration, tables[i]), out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    const Table **left;
    int nleft, rest;

    (void)table;
    if (!citus_distributed(migration, &rest, err) || !read_left(migration, &left, &nleft, err))
        return false;
    *done = rest == 0 && nleft == 0;
    return true;
}

/* All tables, not only the one at hand: truncating it takes those along that refer to it. */
static bool all_proved(const Migration *migration, Error *err) {
    for (int i = 0; i < migration->nall; i++) {
        Switch found;

        if (!proof_read(migration, migration->all[i], &found, err))
            return false;
        if (found.seen && !found.proved)
            return error_set(err, "55000", "it is not proved that %s has all its rows",
                             table_qualified_name(migration->arena, migration->all[i]));
    }
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    int n;
    const Table **all = find_tables(migration, &n), **left;
    int nleft;

    (void)table;
    if (!all_proved(migration, err) || !read_left(migration, &left, &nleft, err))
        return false;
    for (int i = 0; i < nleft; i++) {
        if (!watch_going(migration, err) ||
            !lock_run_all(migration, all, n, "truncating what was left behind",
                          truncate_sql(migration, left[i]), err))
            return false;
    }
    return true;
}

const Step step_truncate = {.name = "truncate",
                            .needs_citus = true,
                            .why = "Nobody sees these rows any more, and they take up room.",
                            .lock = "ACCESS EXCLUSIVE, a moment; readers and writers wait",
                            .describe = describe,
                            .script = script,
                            .undo = step_no_sql,
                            .check = check,
                            .run = run};
