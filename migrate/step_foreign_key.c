/* Foreign keys with the tenant beside those without it: added NOT VALID, which takes a moment, and validated
 * while writers go on. They refer to the parents' new indexes, so that no key is missed when the old ones go.
 */
#include "migrate/keys.h"

#include "migrate/lock.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "add the foreign keys of %s with ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
}

static const char *validate_sql(const Migration *migration, const char *child, const char *name) {
    return arena_printf(migration->arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n", child, name);
}

/* The name is the old one's OID's: it takes over the old one's when that goes. */
static const char *new_name(const Migration *migration, const PairlessKey *key) {
    return key->next ? key->next : arena_printf(migration->arena, "shardferry_key_%s", key->oid);
}

static const char *add_sql(const Migration *migration, const PairlessKey *key) {
    return arena_printf(migration->arena, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;\n", key->child,
                        new_name(migration, key), key->definition);
}

/* By the tenant alone; PostgreSQL makes the name. */
static const char *add_tenant_sql(const Migration *migration, const Table *table) {
    const Table *tenant = migration->snapshot->tenant_table;
    Buf out = {0};

    buf_printf(&out, "ALTER TABLE %s ADD FOREIGN KEY (", table_qualified_name(migration->arena, table));
    quote_identifier(&out, table->tenant_column);
    buf_printf(&out, ") REFERENCES %s (", table_qualified_name(migration->arena, tenant));
    quote_identifier(&out, tenant->tenant_column);
    buf_append_cstr(&out, ") NOT VALID;\n");
    return step_text(migration, &out);
}

/* A table that always had its tenant column has the key that it was given. */
static bool wants_tenant_key(const Table *table) { return table->kind == KIND_BACKFILL; }

typedef struct Keys {
    PairlessKey *keys;
    int n;
    const char *tenant; /* the foreign key by the tenant alone; NULL */
    bool tenant_valid;
} Keys;

static bool read_keys(const Migration *migration, const Table *table, Keys *keys, Error *err) {
    return keys_foreign(migration, table, &keys->keys, &keys->n, err) &&
           keys_tenant(migration, table, &keys->tenant, &keys->tenant_valid, err);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    Keys keys;
    Error err;

    if (!read_keys(migration, table, &keys, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    if (wants_tenant_key(table) && !keys.tenant)
        lock_script(add_tenant_sql(migration, table), out);
    for (int i = 0; i < keys.n; i++) {
        if (!keys.keys[i].next)
            lock_script(add_sql(migration, &keys.keys[i]), out);
        if (!keys.keys[i].next_valid)
            lock_script(validate_sql(migration, keys.keys[i].child, new_name(migration, &keys.keys[i])), out);
    }
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    Keys keys;
    Error err;

    if (!read_keys(migration, table, &keys, &err))
        return;
    for (int i = 0; i < keys.n; i++)
        buf_printf(out, "ALTER TABLE %s DROP CONSTRAINT %s;\n", keys.keys[i].child,
                   new_name(migration, &keys.keys[i]));
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    Keys keys;

    if (!read_keys(migration, table, &keys, err))
        return false;
    *done = !wants_tenant_key(table) || keys.tenant_valid;
    for (int i = 0; i < keys.n; i++)
        *done &= keys.keys[i].next && keys.keys[i].next_valid;
    return true;
}

static bool add_all(const Migration *migration, const Table *table, const Keys *keys, Error *err) {
    if (wants_tenant_key(table) && !keys->tenant &&
        !lock_run(migration, table, "adding a foreign key", add_tenant_sql(migration, table), err))
        return false;
    for (int i = 0; i < keys->n; i++) {
        if (!keys->keys[i].next &&
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
    if (keys.tenant && !keys.tenant_valid &&
        !lock_run(migration, table, "validating a foreign key", validate_sql(migration, name, keys.tenant),
                  err))
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
                               .describe = describe,
                               .script = script,
                               .undo = undo,
                               .check = check,
                               .run = run};
