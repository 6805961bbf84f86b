/* Adding foreign keys again.
 *
 *     recorded  >  there, NOT VALID  >  valid  >  forgotten
 *
 * A runner that was killed on the way finds in the catalog how far a key is. */
#include "migrate/rejoin.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/lock.h"
#include "migrate/sql/rejoin.h"
#include "migrate/sql/rejoin_forget.h"
#include "migrate/sql/rejoin_pending.h"
#include "migrate/sql/rejoin_script.h"
#include "migrate/watch.h"

#define FOREIGN_KEY_VIOLATION "23503"
#define ORPHANS_SHOWN "10"

/* Everything is SQL, in the migration's arena. */
typedef struct LostKey {
    const char *child, *name, *parent;
    const char *definition;
    const char *comment; /* a literal; NULL */
    bool validated;      /* and is to be so again */
    bool there, valid;
    bool ready;                              /* its tables can have it */
    bool gone;                               /* one of its tables is not there any more */
    const char *orphans;                     /* FROM … */
    const char *columns;                     /* that name a row of the child */
    const char *schema, *table, *plain_name; /* as they are stored */
} LostKey;

/* ---- reading ---- */

bool rejoin_pending(const Migration *migration, int *n, Error *err) {
    PGresult *result;
    bool exists;

    *n = 0;
    if (!stage_schema_exists(migration->conn, &exists, err))
        return false;
    if (!exists)
        return true;
    result = query_run(migration->conn, "counting detached keys", sql_rejoin_pending, 0, NULL, err);
    if (!result)
        return false;
    *n = (int)query_int(result, 0, 0);
    PQclear(result);
    return true;
}

static const char *text_at(const Migration *migration, const PGresult *rows, int row, int column) {
    const char *text = query_text(rows, row, column);

    return text ? arena_strdup(migration->arena, text) : NULL;
}

static LostKey key_at(const Migration *migration, const PGresult *rows, int row) {
    return (LostKey){.child = text_at(migration, rows, row, 0),
                     .name = text_at(migration, rows, row, 1),
                     .parent = text_at(migration, rows, row, 2),
                     .definition = text_at(migration, rows, row, 3),
                     .validated = query_bool(rows, row, 4),
                     .comment = text_at(migration, rows, row, 5),
                     .there = query_bool(rows, row, 6),
                     .valid = query_bool(rows, row, 7),
                     .ready = query_bool(rows, row, 8),
                     .gone = query_bool(rows, row, 9),
                     .orphans = text_at(migration, rows, row, 10),
                     .columns = text_at(migration, rows, row, 11),
                     .schema = text_at(migration, rows, row, 12),
                     .table = text_at(migration, rows, row, 13),
                     .plain_name = text_at(migration, rows, row, 14)};
}

static bool read_keys(const Migration *migration, LostKey **keys, int *n, Error *err) {
    PGresult *rows;

    if (!rejoin_pending(migration, n, err))
        return false;
    if (*n == 0)
        return true;
    rows = query_run(migration->conn, "reading the detached keys", sql_rejoin, 0, NULL, err);
    if (!rows)
        return false;
    *n = PQntuples(rows);
    *keys = ARENA_ARRAY(migration->arena, LostKey, *n + 1);
    for (int i = 0; i < *n; i++)
        (*keys)[i] = key_at(migration, rows, i);
    PQclear(rows);
    return true;
}

/* ---- one key ---- */

static void put_execute(const char *statement, Buf *out) {
    buf_append_cstr(out, "EXECUTE ");
    step_literal(out, statement);
    buf_append_cstr(out, ";\n");
}

/* Citus sends the text that a statement stands in to the shards, so each has a text of its own. */
static const char *add_sql(const Migration *migration, const LostKey *key) {
    Buf body = {0}, out = {0};

    buf_append_cstr(&body, "BEGIN\n");
    put_execute(arena_printf(migration->arena, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID", key->child,
                             key->name, key->definition),
                &body);
    if (key->comment)
        put_execute(arena_printf(migration->arena, "COMMENT ON CONSTRAINT %s ON %s IS %s", key->name,
                                 key->child, key->comment),
                    &body);
    buf_append_cstr(&body, "END");
    buf_append_cstr(&out, "DO ");
    step_literal(&out, step_text(migration, &body));
    buf_append_cstr(&out, ";\n");
    return step_text(migration, &out);
}

static bool add(const Migration *migration, const LostKey *key, Error *err) {
    const Table *child = snapshot_table(migration->snapshot, key->schema, key->table);

    if (!child)
        return error_set(err, "42P01", "table %s is gone", key->child);
    return lock_run(migration, child, "adding a foreign key again", add_sql(migration, key), err);
}

static bool forget(const Migration *migration, const LostKey *key, Error *err) {
    const char *const params[] = {key->schema, key->table, key->plain_name};
    PGresult *result =
        query_run(migration->conn, "forgetting a detached key", sql_rejoin_forget, 3, params, err);

    PQclear(result);
    return result != NULL;
}

/* Rows without a parent as a phrase: "3 rows, as (5, 17), …"; NULL if they cannot be found. */
static const char *describe_orphans(const Migration *migration, const LostKey *key) {
    Error ignored;
    const char *count = arena_printf(migration->arena, "SELECT pg_catalog.count(*)%s", key->orphans);
    const char *which =
        arena_printf(migration->arena, "SELECT pg_catalog.concat_ws(', ', %s)%s LIMIT " ORPHANS_SHOWN,
                     key->columns, key->orphans);
    PGresult *n = watch_query(migration, "counting orphans", count, 0, NULL, &ignored);
    PGresult *rows = n ? watch_query(migration, "looking for orphans", which, 0, NULL, &ignored) : NULL;
    Buf out = {0};

    if (rows) {
        buf_printf(&out, "%s row%s of %s, by ", PQgetvalue(n, 0, 0), query_int(n, 0, 0) == 1 ? "" : "s",
                   key->child);
        for (int i = 0; i < PQntuples(rows); i++)
            buf_printf(&out, "%s(%s)", i ? ", " : "", PQgetvalue(rows, i, 0));
        if (query_int(n, 0, 0) > PQntuples(rows))
            buf_append_cstr(&out, ", …");
    }
    PQclear(n);
    PQclear(rows);
    return buf_len(&out) > 0 ? step_text(migration, &out) : NULL;
}

/* Appends what is wrong with the key and the query that shows all of it. */
static void report(const Migration *migration, const LostKey *key, Buf *problems) {
    const char *orphans = describe_orphans(migration, key);

    buf_printf(problems, "%s%s of %s: %s%s without a row of %s. SELECT %s%s;",
               buf_len(problems) > 0 ? "\n" : "", key->name, key->child, orphans ? orphans : "rows",
               orphans ? "," : "", key->parent, key->columns, key->orphans);
}

/* Validates it; an orphan is no error, but a problem. */
static bool validate(const Migration *migration, const LostKey *key, Buf *problems, Error *err) {
    const char *sql =
        arena_printf(migration->arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s", key->child, key->name);

    if (watch_script(migration, "validating a foreign key", sql, err))
        return forget(migration, key, err);
    if (strcmp(err->sqlstate, FOREIGN_KEY_VIOLATION) != 0)
        return false;
    report(migration, key, problems);
    return true;
}

static bool bring_back(const Migration *migration, const LostKey *key, Buf *problems, Error *err) {
    if (key->gone) {
        step_say(migration, "  foreign key %s of %s is not needed: one of its tables is gone", key->name,
                 key->child);
        return forget(migration, key, err);
    }
    if (!key->there && !add(migration, key, err))
        return false;
    if (key->valid || !key->validated)
        return forget(migration, key, err);
    return validate(migration, key, problems, err);
}

/* ---- all ---- */

static bool refuse_unready(const LostKey *key, Error *err) {
    error_set(err, "55000", "foreign key %s of %s cannot be added again: it and %s are not distributed alike",
              key->name, key->child, key->parent);
    return error_hint(err, "shardferry.detached_key has its definition.");
}

bool rejoin_run(const Migration *migration, bool strict, Error *err) {
    Buf problems = {0};
    LostKey *keys = NULL;
    bool done;
    int n;

    if (!read_keys(migration, &keys, &n, err))
        return false;
    done = true;
    for (int i = 0; done && i < n; i++) {
        if (keys[i].ready || keys[i].there || keys[i].gone)
            done = bring_back(migration, &keys[i], &problems, err);
        else if (strict)
            done = refuse_unready(&keys[i], err);
    }
    if (done && buf_len(&problems) > 0) {
        const char *text = step_text(migration, &problems);

        if (!strict) {
            step_say(migration, "  rows that lost their parents while a foreign key was away:\n%s", text);
        } else {
            done =
                error_set(err, FOREIGN_KEY_VIOLATION, "rows lost their parents while a foreign key was away");
            error_detail(err, "%s", text);
            error_hint(
                err,
                "The keys are there and hold for new rows. Delete these rows, or give them parents, and run "
                "this again.");
        }
    }
    buf_free(&problems);
    return done;
}

void rejoin_script(Buf *out) { buf_append_cstr(out, sql_rejoin_script); }
