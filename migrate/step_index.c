/* The indexes of the keys to come, built while writers go on: a unique one with the tenant for each key
 * without it, and a plain one with a primary key's old columns, which rows are looked up by without their
 * tenant.
 *
 * A build that was broken off leaves an INVALID index, which is dropped and built anew. Nobody is building
 * it: this runner holds the lock under which it is done. */
#include "migrate/keys.h"

#include "catalog/query.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "build the indexes of %s with ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
}

static bool wants_plain(const UniqueKey *key) { return key->type && key->type[0] == 'P'; }

static bool is_done(const UniqueKey *key) {
    return key->next && key->next_valid && (!wants_plain(key) || key->plain_valid);
}

/* What is to be run for a key, in order; NULL where nothing is. */
typedef struct Work {
    const char *statements[4];
    int n;
} Work;

static void add(Work *work, const char *statement) { work->statements[work->n++] = statement; }

static Work work_of(const Migration *migration, const UniqueKey *key) {
    Work work = {0};

    if (key->next && !key->next_valid)
        add(&work, arena_printf(migration->arena, "DROP INDEX CONCURRENTLY %s", key->next_qualified));
    if (!key->next || !key->next_valid)
        add(&work, key->build);
    if (wants_plain(key) && key->has_plain && !key->plain_valid)
        add(&work, arena_printf(migration->arena, "DROP INDEX CONCURRENTLY %s", key->plain_qualified));
    if (wants_plain(key) && !key->plain_valid)
        add(&work, key->build_plain);
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
        Work work = work_of(migration, &keys[i]);

        for (int k = 0; k < work.n; k++)
            buf_printf(out, "%s;\n", work.statements[k]);
    }
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    UniqueKey *keys;
    Error err;
    int n;

    if (!keys_unique(migration, table, &keys, &n, &err))
        return;
    for (int i = 0; i < n; i++) {
        if (keys[i].next)
            buf_printf(out, "DROP INDEX CONCURRENTLY %s;\n", keys[i].next_qualified);
    }
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
    Work work = work_of(migration, key);

    if (!key->readable)
        return error_set(err, "55000", "the definition of index %s of %s could not be understood", key->name,
                         table->name);
    for (int i = 0; i < work.n; i++) {
        if (!query_script(migration->conn, "building an index", work.statements[i], err))
            return error_hint(err, "Run it again: what was left of the index is dropped then.");
    }
    return true;
}

/* lock_timeout would break a build off while it waits for older transactions, and leave an INVALID index. */
static bool run(const Migration *migration, const Table *table, Error *err) {
    UniqueKey *keys;
    int n;

    if (!keys_unique(migration, table, &keys, &n, err) ||
        !query_script(migration->conn, "building an index", "SET lock_timeout = 0", err))
        return false;
    for (int i = 0; i < n; i++) {
        if (!is_done(&keys[i]) && !build(migration, table, &keys[i], err))
            return false;
    }
    return query_script(migration->conn, "building an index", "SET lock_timeout = '10s'", err);
}

const Step step_index = {.name = "index",
                         .scope = STEP_EACH_DISTRIBUTED,
                         .describe = describe,
                         .script = script,
                         .undo = undo,
                         .check = check,
                         .run = run};
