/* The old keys go, the new ones take their names and their places, in short transactions: first the foreign
 * keys without the tenant, each beside the one that has been validated; then the unique keys that nothing
 * refers to any more. At no instant is a row unchecked. */
#include "migrate/builders.h"
#include "migrate/lock.h"
#include "migrate/undo_keys.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "swap the keys of %s", table_qualified_name(migration->arena, table));
}

/* One that an undo left beside its successor just goes. */
static const char *swap_foreign_sql(const Migration *migration, const PairlessKey *key) {
    Buf out = {0};

    if (key->restored) {
        buf_printf(&out, "ALTER TABLE %s DROP CONSTRAINT %s;\n", key->child, key->name);
    } else {
        old_keys_record_foreign(key, &out);
        buf_printf(&out, "ALTER TABLE %s DROP CONSTRAINT %s;\nALTER TABLE %s RENAME CONSTRAINT %s TO %s;\n%s",
                   key->child, key->name, key->child, key->next, key->name, key->decoration);
    }
    return step_text(migration, &out);
}

static void append_drop_index(const Table *table, const UniqueKey *key, Buf *out) {
    buf_append_cstr(out, "DROP INDEX ");
    quote_identifier(out, table->schema);
    buf_printf(out, ".%s;\n", key->name);
}

static void append_unique(const Migration *migration, const Table *table, const UniqueKey *key, Buf *out) {
    const char *name = table_qualified_name(migration->arena, table);

    if (key->restored) {
        append_drop_index(table, key, out);
        return;
    }
    old_keys_record_unique(table, key, out);
    if (key->constraint) {
        buf_printf(out, "ALTER TABLE %s DROP CONSTRAINT %s, ADD CONSTRAINT %s %s USING INDEX %s%s;\n", name,
                   key->constraint, key->constraint, key->type, key->next, key->deferrable);
    } else {
        append_drop_index(table, key, out);
        buf_printf(out, "ALTER INDEX %s RENAME TO %s;\n", key->next_qualified, key->name);
    }
    buf_append_cstr(out, key->decoration);
}

static const char *swap_unique_sql(const Migration *migration, const Table *table, const UniqueKey *keys,
                                   int n) {
    Buf out = {0};

    for (int i = 0; i < n; i++)
        append_unique(migration, table, &keys[i], &out);
    return step_text(migration, &out);
}

/* Those that refer to this table: as long as they are there, its old keys cannot go. */
static bool read_referring(const Migration *migration, const Table *table, PairlessKey **keys, int *n,
                           Error *err) {
    PairlessKey *all;
    int nall;

    if (!keys_foreign(migration, NULL, &all, &nall, err))
        return false;
    *keys = all;
    *n = 0;
    for (int i = 0; i < nall; i++) {
        if (all[i].parent_oid == table->oid)
            (*keys)[(*n)++] = all[i];
    }
    return true;
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    PairlessKey *foreign;
    UniqueKey *unique;
    Error err;
    int nforeign, nunique;

    if (!read_referring(migration, table, &foreign, &nforeign, &err) ||
        !keys_unique(migration, table, &unique, &nunique, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    for (int i = 0; i < nforeign; i++)
        lock_script(swap_foreign_sql(migration, &foreign[i]), out);
    if (nunique > 0)
        lock_script(swap_unique_sql(migration, table, unique, nunique), out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    pieces_script(migration, table, undo_keys_beside, out);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return builders_wait(migration, table, err) && pieces_run(migration, table, undo_keys_beside, err);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    PairlessKey *foreign;
    UniqueKey *unique;
    int nforeign, nunique;

    if (!read_referring(migration, table, &foreign, &nforeign, err) ||
        !keys_unique(migration, table, &unique, &nunique, err))
        return false;
    *done = nforeign == 0 && nunique == 0;
    return true;
}

static bool ready(const Table *table, const PairlessKey *foreign, int nforeign, const UniqueKey *unique,
                  int nunique, Error *err) {
    bool all = true;

    for (int i = 0; i < nforeign; i++)
        all &= foreign[i].next_valid;
    for (int i = 0; i < nunique; i++)
        all &= unique[i].next_valid;
    if (all)
        return true;
    error_set(err, "55000", "a key was added to %s, or to what refers to it, meanwhile", table->name);
    return error_hint(err, "Run it again.");
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    PairlessKey *foreign;
    UniqueKey *unique;
    int nforeign, nunique;

    if (!read_referring(migration, table, &foreign, &nforeign, err) ||
        !keys_unique(migration, table, &unique, &nunique, err) ||
        !ready(table, foreign, nforeign, unique, nunique, err))
        return false;
    for (int i = 0; i < nforeign; i++) {
        if (!lock_run(migration, table, "swapping a foreign key", swap_foreign_sql(migration, &foreign[i]),
                      err))
            return false;
    }
    return nunique == 0 || lock_run(migration, table, "swapping the keys",
                                    swap_unique_sql(migration, table, unique, nunique), err);
}

const Step step_swap = {.name = "swap",
                        .scope = STEP_EACH_DISTRIBUTED,
                        .why = "Keys without the tenant cannot be distributed. The new ones have been "
                               "validated: no row is looked at.",
                        .lock = "ACCESS EXCLUSIVE on the table and on what refers to it, for a moment",
                        .describe = describe,
                        .script = script,
                        .undo = undo,
                        .check = check,
                        .run = run,
                        .revert = revert};
