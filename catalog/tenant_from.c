/* The tenant_from setting: "order_id -> orders(order_id)".
 *
 *   columns -> table [ (columns) ]      columns: one name, or a list in parentheses
 *
 * Without columns behind the table, its primary key is meant. The step need not be a declared foreign key. */
#include "catalog/internal.h"

#include <stdlib.h>

/* The offset of `c` in s outside of double quotes; s.len if it is not there. */
static size_t find_unquoted(Str s, char c) {
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (s.ptr[i] == c && !quoted)
            return i;
    }
    return s.len;
}

static Str slice(Str s, size_t start, size_t end) { return (Str){s.ptr + start, end - start}; }

/* Splits a possibly qualified name into arena strings. */
static bool read_table_name(Arena *arena, Str written, const char **schema, const char **name, Error *err) {
    char *heap_schema = NULL, *heap_name = NULL;

    if (!config_table_name(arena_strndup(arena, written.ptr, written.len), &heap_schema, &heap_name, err))
        return false;
    *schema = heap_schema ? arena_strdup(arena, heap_schema) : NULL;
    *name = arena_strdup(arena, heap_name);
    free(heap_schema);
    free(heap_name);
    return true;
}

static bool read_column(Arena *arena, const Table *table, Str written, const Column **column, Error *err) {
    const char *schema, *name;

    if (!read_table_name(arena, written, &schema, &name, err))
        return false;
    *column = schema ? NULL : table_column(table, name);
    if (!*column) {
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s.%s has no column %.*s", table->schema,
                         table->name, STR_ARG(written));
    }
    return true;
}

/* Reads "a" or "(a, b)" or "a, b" as columns of `table`. */
static bool read_columns(Arena *arena, const Table *table, Str list, const Column ***columns, int *ncolumns,
                         Error *err) {
    list = str_trim(list);
    if (list.len >= 2 && list.ptr[0] == '(' && list.ptr[list.len - 1] == ')')
        list = slice(list, 1, list.len - 1);
    *columns = ARENA_ARRAY(arena, const Column *, list.len + 1);
    *ncolumns = 0;
    for (size_t start = 0; start <= list.len;) {
        size_t comma = start + find_unquoted(slice(list, start, list.len), ',');

        if (!read_column(arena, table, str_trim(slice(list, start, comma)), &(*columns)[*ncolumns], err))
            return false;
        (*ncolumns)++;
        start = comma + 1;
    }
    return true;
}

static bool primary_key(Arena *arena, const Table *parent, const char *tenant_column, const Column ***columns,
                        int *ncolumns, Error *err) {
    const Key *key;

    if (parent->nkeys == 0 || !parent->keys[0].primary) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s.%s has no primary key", parent->schema, parent->name);
        return error_hint(err, "Name the columns behind the table.");
    }
    key = &parent->keys[0];
    *columns = ARENA_ARRAY(arena, const Column *, key->ncolumns);
    *ncolumns = 0;
    for (int i = 0; i < key->ncolumns; i++) {
        if (key->ncolumns == 1 || strcmp(key->columns[i]->name, tenant_column) != 0)
            (*columns)[(*ncolumns)++] = key->columns[i];
    }
    return true;
}

/* A step must give one parent row at most, or the tenant would be any of several. A key that the migration
 * has extended by the tenant was one without it. */
static bool is_unique(const Table *parent, const Column *const *columns, int ncolumns,
                      const char *tenant_column) {
    for (int i = 0; i < parent->nkeys; i++) {
        const Key *key = &parent->keys[i];
        int found = 0, ntenant = 0;

        for (int j = 0; j < key->ncolumns; j++) {
            bool is_named = false;

            for (int k = 0; k < ncolumns && !is_named; k++)
                is_named = key->columns[j] == columns[k];
            found += is_named;
            ntenant += !is_named && key->columns[j] && strcmp(key->columns[j]->name, tenant_column) == 0;
        }
        if (!key->partial_or_expression && found > 0 && found + ntenant == key->ncolumns)
            return true;
    }
    return false;
}

static const ForeignKey *declared(const Table *child, const ForeignKey *like) {
    for (int i = 0; i < child->nforeign_keys; i++) {
        const ForeignKey *fk = child->foreign_keys[i];
        bool same = fk->parent == like->parent && fk->ncolumns == like->ncolumns;

        for (int j = 0; same && j < fk->ncolumns; j++) {
            same = fk->child_columns[j] == like->child_columns[j] &&
                   fk->parent_columns[j] == like->parent_columns[j];
        }
        if (same)
            return fk;
    }
    return NULL;
}

static bool read_parent(const Snapshot *snapshot, Arena *arena, Str written, const Table **parent,
                        Error *err) {
    const char *schema, *name;

    if (!read_table_name(arena, written, &schema, &name, err))
        return false;
    *parent = tenant_resolve(snapshot, arena, schema, name);
    if (!*parent)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "table %.*s does not exist", STR_ARG(written));
    return true;
}

static bool check_step(const ForeignKey *fk, int nparent_columns, const char *tenant_column, Error *err) {
    if (fk->ncolumns != nparent_columns) {
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%d column%s on the left, but %d on the right",
                         fk->ncolumns, fk->ncolumns == 1 ? "" : "s", nparent_columns);
    }
    if (fk->parent == fk->child)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "it leads from the table to itself");
    if (!is_unique(fk->parent, fk->parent_columns, nparent_columns, tenant_column)) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "the columns of %s.%s are not unique", fk->parent->schema,
                  fk->parent->name);
        return error_hint(err,
                          "Each row must lead to one parent: name the columns of a primary key or a unique "
                          "constraint.");
    }
    return true;
}

const ForeignKey *tenant_from_resolve(const Snapshot *snapshot, Arena *arena, const Table *child,
                                      const char *text, const char *tenant_column, Error *err) {
    Str all = str_of(text), target;
    ForeignKey *fk = ARENA_NEW(arena, ForeignKey);
    const ForeignKey *known;
    size_t arrow = find_unquoted(all, '>'), open;
    int nparent_columns = 0;

    if (arrow == all.len || arrow == 0 || all.ptr[arrow - 1] != '-') {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" is not of the form column -> table(column)", text);
        goto failed;
    }
    target = str_trim(slice(all, arrow + 1, all.len));
    open = find_unquoted(target, '(');
    fk->name = "tenant_from";
    fk->child = child;
    fk->on_delete = fk->on_update = 'a';
    if (!read_parent(snapshot, arena, str_trim(slice(target, 0, open)), &fk->parent, err) ||
        !read_columns(arena, child, slice(all, 0, arrow - 1), &fk->child_columns, &fk->ncolumns, err))
        goto failed;
    if (open < target.len) {
        if (!read_columns(arena, fk->parent, slice(target, open, target.len), &fk->parent_columns,
                          &nparent_columns, err))
            goto failed;
    } else if (!primary_key(arena, fk->parent, tenant_column, &fk->parent_columns, &nparent_columns, err)) {
        goto failed;
    }
    if (!check_step(fk, nparent_columns, tenant_column, err))
        goto failed;
    known = declared(child, fk);
    return known ? known : fk;
failed:
    return NULL;
}
