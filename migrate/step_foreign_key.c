/* Foreign keys with the tenant beside those without it: added NOT VALID, which takes a moment, and validated
 * while writers go on. They refer to the parents' new indexes, so that no key is missed when the old ones go.
 */
#include "migrate/lock.h"
#include "migrate/undo_keys.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "add the foreign keys of %s with ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
}

static const char *validate_sql(const Migration *migration, const char *child, const char *name) {
    return arena_printf(migration->arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n", child, name);
}

static const char *add_sql(const Migration *migration, const PairlessKey *key) {
    return arena_printf(migration->arena, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;\n", key->child,
                        key->next, key->definition);
}

/* By the tenant alone. */
static const char *add_tenant_sql(const Migration *migration, const Table *table, const TenantKey *key) {
    const Table *tenant = migration->snapshot->tenant_table;
    Buf out = {0};

    made_record(table, MADE_FOREIGN_KEY, key->stored_name, &out);
    buf_printf(&out, "ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (",
               table_qualified_name(migration->arena, table), key->name);
    quote_identifier(&out, table->tenant_column);
    buf_printf(&out, ") REFERENCES %s (", table_qualified_name(migration->arena, tenant));
    quote_identifier(&out, tenant->tenant_column);
    buf_append_cstr(&out, key->cascades ? ") ON DELETE CASCADE NOT VALID;\n" : ") NOT VALID;\n");
    return step_text(migration, &out);
}

typedef struct Keys {
    PairlessKey *keys;
    int n;
    TenantKey tenant;
} Keys;

static bool read_keys(const Migration *migration, const Table *table, Keys *keys, Error *err) {
    return keys_foreign(migration, table, &keys->keys, &keys->n, err) &&
           keys_tenant(migration, table, &keys->tenant, err);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    const char *name = table_qualified_name(migration->arena, table);
    Keys keys;
    Error err;

    if (!read_keys(migration, table, &keys, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    if (keys.tenant.wanted && !keys.tenant.exists)
        lock_script(add_tenant_sql(migration, table, &keys.tenant), out);
    for (int i = 0; i < keys.n; i++) {
        if (!keys.keys[i].has_next)
            lock_script(add_sql(migration, &keys.keys[i]), out);
    }
    if (keys.tenant.wanted && !keys.tenant.valid)
        lock_script(validate_sql(migration, name, keys.tenant.name), out);
    for (int i = 0; i < keys.n; i++) {
        if (!keys.keys[i].next_valid)
            lock_script(validate_sql(migration, keys.keys[i].child, keys.keys[i].next), out);
    }
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    pieces_script(migration, table, undo_keys_foreign, out);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return pieces_run(migration, table, undo_keys_foreign, err);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    Keys keys;

    if (!read_keys(migration, table, &keys, err))
        return false;
    *done = !keys.tenant.wanted || keys.tenant.valid;
    for (int i = 0; i < keys.n; i++)
        *done &= keys.keys[i].next_valid;
    return true;
}

static bool add_all(const Migration *migration, const Table *table, const Keys *keys, Error *err) {
    if (keys->tenant.wanted && !keys->tenant.exists &&
        !lock_run(migration, table, "adding a foreign key", add_tenant_sql(migration, table, &keys->tenant),
                  err))
        return false;
    for (int i = 0; i < keys->n; i++) {
        if (!keys->keys[i].has_next &&
            !lock_run(migration, table, "adding a foreign key", add_sql(migration, &keys->keys[i]), err))
            return false;
    }
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    const char *name = table_qualified_name(migration->arena, table);
    Keys keys;

    if (!read_keys(migration, table, &keys, err) || !add_all(migration, table, &keys, err) ||
        !read_keys(migration, table, &keys, err))
        return false;
    if (keys.tenant.wanted && !keys.tenant.valid &&
        !lock_run(migration, table, "validating a foreign key",
                  validate_sql(migration, name, keys.tenant.name), err))
        return false;
    for (int i = 0; i < keys.n; i++) {
        if (!keys.keys[i].next_valid && !lock_run(migration, table, "validating a foreign key",
                                                  validate_sql(migration, name, keys.keys[i].next), err))
            return false;
    }
    return true;
}

const Step step_foreign_key = {.name = "foreign key",
                               .scope = STEP_EACH_DISTRIBUTED,
                               .why = "Citus can only check foreign keys that hold the tenant. They stand "
                                      "beside the old ones until those go.",
                               .lock = "SHARE ROW EXCLUSIVE on both tables, for a moment; the rows are read "
                                       "under locks that writers do not feel",
                               .us_per_row = 0.6,
                               .describe = describe,
                               .script = script,
                               .undo = undo,
                               .check = check,
                               .run = run,
                               .revert = revert};
