/* The way back of the keys mirrors their way forth: the old ones are made again beside those with the tenant,
 * while writers go on; behind the epoch they take their places back, in short transactions. */
#include "migrate/undo_keys.h"

#include <string.h>

static bool is_of(const OldKey *key, const Table *table) {
    return strcmp(key->schema, table->schema) == 0 && strcmp(key->table, table->name) == 0;
}

/* An identifier as SQL, in the arena; behind that of its schema, unless this is NULL. */
static const char *quoted(const Migration *migration, const char *schema, const char *name) {
    Buf out = {0};

    if (schema) {
        quote_identifier(&out, schema);
        buf_append_cstr(&out, ".");
    }
    quote_identifier(&out, name);
    return step_text(migration, &out);
}

/* ---- beside those with the tenant ---- */

/* A unique index that could not be finished is in the way of writers all the same. */
static void add_build(const OldKey *key, const char *table, const char *name, const char *definition,
                      Pieces *pieces) {
    const Migration *migration = pieces->migration;
    const char *qualified = quoted(migration, key->schema, name);
    const char *drop = arena_printf(migration->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s;\n", qualified);

    if (key->tablespace)
        pieces_alone(pieces, "choosing a tablespace",
                     arena_printf(migration->arena, "SET default_tablespace = %s;\n", key->tablespace));
    pieces_add(pieces, (Piece){.what = "building an index",
                               .sql = arena_printf(migration->arena,
                                                   "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s %s;\n",
                                                   quoted(migration, NULL, name), table, definition),
                               .cleanup = drop});
    if (key->tablespace)
        pieces_alone(pieces, "choosing a tablespace", "RESET default_tablespace;\n");
}

static void add_unique_beside(const OldKey *key, const char *table, Pieces *pieces) {
    const Migration *migration = pieces->migration;

    if (key->in_place || key->valid)
        return;
    if (key->is_beside)
        pieces_alone(pieces, "dropping an INVALID index",
                     arena_printf(migration->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s;\n",
                                  quoted(migration, key->schema, key->beside)));
    add_build(key, table, key->beside, key->definition, pieces);
}

/* Whether it was validated when it was taken away. */
static bool is_validated(const OldKey *key) {
    size_t n = strlen(key->definition), suffix = strlen(" NOT VALID");

    return n < suffix || strcmp(key->definition + n - suffix, " NOT VALID") != 0;
}

static void add_foreign_beside(const OldKey *key, Pieces *pieces) {
    const Migration *migration = pieces->migration;
    const char *child = quoted(migration, key->schema, key->table);
    const char *name = quoted(migration, NULL, key->beside);

    if (key->in_place || key->valid)
        return;
    if (!key->is_beside)
        pieces_locking(pieces, "adding a foreign key",
                       arena_printf(migration->arena, "ALTER TABLE %s ADD CONSTRAINT %s %s%s;\n", child, name,
                                    key->definition, is_validated(key) ? " NOT VALID" : ""));
    if (is_validated(key))
        pieces_locking(
            pieces, "validating a foreign key",
            arena_printf(migration->arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n", child, name));
}

bool undo_keys_beside(const Table *table, Pieces *pieces, Error *err) {
    const char *name = table_qualified_name(pieces->migration->arena, table);
    OldKey *keys;
    int n;

    if (!old_keys_read(pieces->migration, &keys, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (keys[i].kind != 'f' && is_of(&keys[i], table))
            add_unique_beside(&keys[i], name, pieces);
    }
    for (int i = 0; i < n; i++) {
        if (keys[i].kind == 'f' && keys[i].parent && strcmp(keys[i].parent, name) == 0)
            add_foreign_beside(&keys[i], pieces);
    }
    return true;
}

/* ---- foreign keys ---- */

/* What took its place goes, or, where it was there before, gets its own name back. If there is neither an old
 * nor a new one, the parent was dropped meanwhile, and both with it. */
static void add_foreign_back(const OldKey *key, Pieces *pieces) {
    const Migration *migration = pieces->migration;
    const char *child = quoted(migration, key->schema, key->table);
    const char *name = quoted(migration, NULL, key->name);
    bool is_gone = migration->undoing && !key->taken && !key->is_beside;
    Buf out = {0};

    if (key->taken && key->successor)
        buf_printf(&out, "ALTER TABLE %s RENAME CONSTRAINT %s TO %s;\n", child, name,
                   quoted(migration, NULL, key->successor));
    else if (key->taken)
        buf_printf(&out, "ALTER TABLE %s DROP CONSTRAINT %s;\n", child, name);
    if (!key->in_place && !is_gone)
        buf_printf(&out, "ALTER TABLE %s RENAME CONSTRAINT %s TO %s;\n%s", child,
                   quoted(migration, NULL, key->beside), name, key->decoration);
    old_keys_forget(key, &out);
    pieces_locking(pieces, "putting a foreign key back", step_text(migration, &out));
}

static void add_drop_constraint(const Table *table, const char *name, bool made, Pieces *pieces) {
    const Migration *migration = pieces->migration;
    Buf out = {0};

    buf_printf(&out, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s;\n",
               table_qualified_name(migration->arena, table), quoted(migration, NULL, name));
    if (made)
        made_forget(table, MADE_FOREIGN_KEY, name, &out);
    pieces_locking(pieces, "dropping a foreign key", step_text(migration, &out));
}

/* Those that have not taken any place yet. */
static bool drop_foreign_next(const Table *table, Pieces *pieces, Error *err) {
    const Migration *migration = pieces->migration;
    PairlessKey *keys;
    int n;

    if (!keys_foreign(migration, table, &keys, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (keys[i].has_next && !keys[i].restored && !keys[i].next_own)
            pieces_locking(pieces, "dropping a foreign key",
                           arena_printf(migration->arena, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s;\n",
                                        keys[i].child, keys[i].next));
    }
    return true;
}

/* The one by the tenant alone. */
static bool drop_tenant_key(const Table *table, Pieces *pieces, Error *err) {
    const Migration *migration = pieces->migration;
    const char **names;
    TenantKey key;
    int n;

    if (!made_read(migration, table, MADE_FOREIGN_KEY, &names, &n, err))
        return false;
    for (int i = 0; i < n; i++)
        add_drop_constraint(table, names[i], true, pieces);
    if (migration->undoing || n > 0)
        return true;
    if (!keys_tenant(migration, table, &key, err))
        return false;
    if (key.wanted && !key.exists)
        add_drop_constraint(table, key.stored_name, true, pieces);
    return true;
}

bool undo_keys_foreign(const Table *table, Pieces *pieces, Error *err) {
    OldKey *keys;
    int n;

    if (!old_keys_read(pieces->migration, &keys, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (keys[i].kind == 'f' && is_of(&keys[i], table))
            add_foreign_back(&keys[i], pieces);
    }
    return (!pieces->migration->undoing || drop_foreign_next(table, pieces, err)) &&
           drop_tenant_key(table, pieces, err);
}

/* ---- unique keys ---- */

static void append_unique_back(const Migration *migration, const Table *table, const OldKey *key, Buf *out) {
    const char *name = quoted(migration, NULL, key->name), *beside = quoted(migration, NULL, key->beside);
    const char *drop = arena_printf(migration->arena, "DROP CONSTRAINT %s, ", name);

    if (key->in_place)
        return;
    if (key->kind == 'i') {
        if (key->taken)
            buf_printf(out, "DROP INDEX %s;\n", quoted(migration, key->schema, key->name));
        buf_printf(out, "ALTER INDEX %s RENAME TO %s;\n", quoted(migration, key->schema, key->beside), name);
    } else {
        buf_printf(out, "ALTER TABLE %s %sADD CONSTRAINT %s %s USING INDEX %s%s;\n",
                   table_qualified_name(migration->arena, table), key->taken ? drop : "", name,
                   key->kind == 'p' ? "PRIMARY KEY" : "UNIQUE", beside, key->timing);
    }
    buf_append_cstr(out, key->decoration);
}

static void add_drop_plain(const Table *table, const char *name, Pieces *pieces) {
    const Migration *migration = pieces->migration;
    Buf forget = {0};

    pieces_alone(pieces, "dropping an index",
                 arena_printf(migration->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s;\n",
                              quoted(migration, table->schema, name)));
    made_forget(table, MADE_INDEX, name, &forget);
    pieces_alone(pieces, "dropping an index", step_text(migration, &forget));
}

/* An INVALID one may be somebody else's. */
static bool is_made(const char *name) {
    return strncmp(name, "shardferry_key_", strlen("shardferry_key_")) == 0;
}

/* The plain ones; and those with the tenant that have not taken any place yet. */
static bool drop_indexes(const Table *table, Pieces *pieces, Error *err) {
    const Migration *migration = pieces->migration;
    const char **names;
    UniqueKey *keys;
    int n, nkeys;

    if (!made_read(migration, table, MADE_INDEX, &names, &n, err) ||
        !keys_unique(migration, table, &keys, &nkeys, err))
        return false;
    for (int i = 0; i < n; i++)
        add_drop_plain(table, names[i], pieces);
    for (int i = 0; i < nkeys; i++) {
        if (!migration->undoing && keys[i].wants_plain && !keys[i].has_plain)
            add_drop_plain(table, keys[i].plain_name, pieces);
        if (migration->undoing && keys[i].has_next && !keys[i].restored && is_made(keys[i].next))
            pieces_alone(pieces, "dropping an index",
                         arena_printf(migration->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s;\n",
                                      keys[i].next_qualified));
    }
    return true;
}

bool undo_keys_unique(const Table *table, Pieces *pieces, Error *err) {
    const Migration *migration = pieces->migration;
    Buf out = {0};
    OldKey *keys;
    int n;

    if (!old_keys_read(migration, &keys, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (keys[i].kind != 'f' && is_of(&keys[i], table)) {
            append_unique_back(migration, table, &keys[i], &out);
            old_keys_forget(&keys[i], &out);
        }
    }
    if (buf_len(&out) > 0)
        pieces_locking(pieces, "putting the keys back", step_text(migration, &out));
    return drop_indexes(table, pieces, err);
}
