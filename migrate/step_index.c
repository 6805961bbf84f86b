/* The indexes of the keys to come, built while writers go on: a unique one with the tenant for each key
 * without it, and a plain one with a primary key's old columns, which rows are looked up by without their
 * tenant.
 *
 * A build that was broken off leaves an INVALID index, which is dropped and built anew; one that the server
 * still goes on with, though its runner was killed, is waited for. */
#include "catalog/query.h"
#include "migrate/builders.h"
#include "migrate/undo_keys.h"
#include "migrate/watch.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "build the indexes of %s with ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
}

static bool is_done(const UniqueKey *key) {
    return key->next_valid && (!key->wants_plain || key->plain_valid);
}

/* What is to be run for a key, in order. */
typedef struct Work {
    const char *statements[8];
    int n;
} Work;

static void add(Work *work, const char *statement) { work->statements[work->n++] = statement; }

/* A broken one goes first. */
static void add_build(const Migration *migration, Work *work, const char *broken, const char *tablespace,
                      const char *build) {
    if (broken)
        add(work, arena_printf(migration->arena, "DROP INDEX CONCURRENTLY %s", broken));
    if (tablespace)
        add(work, arena_printf(migration->arena, "SET default_tablespace = %s", tablespace));
    add(work, build);
    if (tablespace)
        add(work, "RESET default_tablespace");
}

static const char *record_plain_sql(const Migration *migration, const Table *table, const UniqueKey *key) {
    Buf out = {0};

    made_record(table, MADE_INDEX, key->plain_name, &out);
    out.end -= 2; /* the semicolon and the line's end */
    return step_text(migration, &out);
}

static Work work_of(const Migration *migration, const Table *table, const UniqueKey *key) {
    Work work = {0};

    if (!key->next_valid)
        add_build(migration, &work, key->has_next ? key->next_qualified : NULL, key->tablespace, key->build);
    if (key->wants_plain && !key->plain_valid) {
        add(&work, record_plain_sql(migration, table, key));
        add_build(migration, &work, key->has_plain ? key->plain_qualified : NULL, NULL, key->build_plain);
    }
    return work;
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    UniqueKey *keys;
    Error err;
    int n;

    if (!keys_unique(migration, table, &keys, &n, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    for (int i = 0; i < n; i++) {
        Work work = work_of(migration, table, &keys[i]);

        for (int k = 0; k < work.n; k++)
            buf_printf(out, "%s;\n", work.statements[k]);
    }
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    pieces_script(migration, table, undo_keys_unique, out);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return builders_wait(migration, table, err) && pieces_run(migration, table, undo_keys_unique, err);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    UniqueKey *keys;
    int n;

    if (!keys_unique(migration, table, &keys, &n, err))
        return false;
    *done = true;
    for (int i = 0; i < n; i++)
        *done &= is_done(&keys[i]);
    return true;
}

static bool build(const Migration *migration, const Table *table, const UniqueKey *key, Error *err) {
    Work work = work_of(migration, table, key);

    if (!key->readable)
        return error_set(err, "55000", "the definition of index %s of %s could not be understood", key->name,
                         table->name);
    for (int i = 0; i < work.n; i++) {
        if (!watch_script(migration, "building an index", work.statements[i], err))
            return error_hint(err, "Run it again: what was left of the index is dropped then.");
    }
    return true;
}

/* lock_timeout would break a build off while it waits for older transactions, and leave an INVALID index. */
static bool run(const Migration *migration, const Table *table, Error *err) {
    UniqueKey *keys;
    int n;

    if (!builders_wait(migration, table, err) || !keys_unique(migration, table, &keys, &n, err) ||
        !query_script(migration->conn, "building an index", "SET lock_timeout = 0", err))
        return false;
    for (int i = 0; i < n; i++) {
        if (!is_done(&keys[i]) && !build(migration, table, &keys[i], err))
            return false;
    }
    return query_script(migration->conn, "building an index", "SET lock_timeout = '10s'", err);
}

const Step step_index = {
    .name = "index",
    .scope = STEP_EACH_DISTRIBUTED,
    .why = "Citus can only keep rows unique within a tenant, so that each key needs the tenant in front.",
    .lock = "SHARE UPDATE EXCLUSIVE on the table, which writers do not feel",
    .us_per_row = 3,
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
