/* Writing down what is taken away and what is added, and reading it. */
#include "migrate/old_keys.h"

#include <string.h>

#include "catalog/query.h"
#include "migrate/sql/made.h"
#include "migrate/sql/old_keys.h"
#include "migrate/sql/old_keys_exist.h"

static const char *const MADE_KINDS[] = {[MADE_COLUMN] = "column",
                                         [MADE_NOT_NULL] = "not null",
                                         [MADE_INDEX] = "index",
                                         [MADE_FOREIGN_KEY] = "foreign key"};

/* A literal, or NULL; behind a comma unless it is the first. */
static void append_value(Buf *out, bool first, const char *value) {
    buf_append_cstr(out, first ? "" : ", ");
    if (value)
        step_literal(out, value);
    else
        buf_append_cstr(out, "NULL");
}

static void append_values(Buf *out, const char *const *values, int n) {
    for (int i = 0; i < n; i++)
        append_value(out, i == 0, values[i]);
}

/* The columns of shardferry.old_key, in the order of VALUES. */
#define COLUMNS                                                                                              \
    "table_schema, table_name, name, kind, definition, timing, columns, predicate, tablespace, "             \
    "decoration, parent, successor"
#define NCOLUMNS 12

/* A row of an earlier migration is out of date. */
static void append_record(Buf *out, const char *const values[NCOLUMNS]) {
    buf_append_cstr(out, "DELETE FROM shardferry.old_key WHERE (table_schema, table_name, name) = (");
    append_values(out, values, 3);
    buf_append_cstr(out, ");\nINSERT INTO shardferry.old_key (" COLUMNS ")\n    VALUES (");
    append_values(out, values, NCOLUMNS);
    buf_append_cstr(out, ");\n");
}

void old_keys_record_unique(const Table *table, const UniqueKey *key, Buf *out) {
    append_record(out, (const char *const[NCOLUMNS]){table->schema, table->name, key->stored_name, key->kind,
                                                     key->definition, key->deferrable, key->columns,
                                                     key->predicate, key->tablespace, key->decoration, NULL,
                                                     NULL});
}

void old_keys_record_foreign(const PairlessKey *key, Buf *out) {
    append_record(out, (const char *const[NCOLUMNS]){key->child_schema, key->child_name, key->stored_name,
                                                     "f", key->old_definition, "", NULL, NULL, NULL,
                                                     key->decoration, key->parent, key->next_own});
}

void made_record(const Table *table, MadeKind kind, const char *name, Buf *out) {
    buf_append_cstr(out, "INSERT INTO shardferry.made (table_schema, table_name, kind, name) VALUES (");
    append_values(out, (const char *const[]){table->schema, table->name, MADE_KINDS[kind], name}, 4);
    buf_append_cstr(out, ") ON CONFLICT DO NOTHING;\n");
}

void made_forget(const Table *table, MadeKind kind, const char *name, Buf *out) {
    buf_append_cstr(out, "DELETE FROM shardferry.made WHERE (table_schema, table_name, kind, name) = (");
    append_values(out, (const char *const[]){table->schema, table->name, MADE_KINDS[kind], name}, 4);
    buf_append_cstr(out, ");\n");
}

/* ---- reading ---- */

static bool anything_written(const Migration *migration, bool *exist, Error *err) {
    PGresult *result =
        query_run(migration->conn, "looking for what was changed", sql_old_keys_exist, 0, NULL, err);

    if (!result)
        return false;
    *exist = query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

bool made_read(const Migration *migration, const Table *table, MadeKind kind, const char ***names, int *n,
               Error *err) {
    const char *params[] = {table->schema, table->name, MADE_KINDS[kind]};
    PGresult *result;
    bool exist;

    *n = 0;
    if (!anything_written(migration, &exist, err))
        return false;
    if (!exist)
        return true;
    result = query_run(migration->conn, "reading what was made", sql_made, 3, params, err);
    if (!result)
        return false;
    *names = ARENA_ARRAY(migration->arena, const char *, (size_t)PQntuples(result) + 1);
    for (; *n < PQntuples(result); (*n)++)
        (*names)[*n] = arena_strdup(migration->arena, PQgetvalue(result, *n, 0));
    PQclear(result);
    return true;
}

typedef struct List {
    const Migration *migration;
    OldKey *items;
    int n, room;
} List;

static void list_add(List *list, OldKey key) {
    if (list->n == list->room) {
        int room = list->room ? 2 * list->room : 32;
        OldKey *items = ARENA_ARRAY(list->migration->arena, OldKey, (size_t)room);

        if (list->n > 0)
            memcpy(items, list->items, (size_t)list->n * sizeof(OldKey));
        list->items = items;
        list->room = room;
    }
    list->items[list->n++] = key;
}

static const char *text(const List *list, const PGresult *result, int row, int column) {
    return query_keep(list->migration->arena, result, row, column);
}

static OldKey take_key(const List *list, const PGresult *result, int row) {
    return (OldKey){.schema = text(list, result, row, 0),
                    .table = text(list, result, row, 1),
                    .name = text(list, result, row, 2),
                    .kind = PQgetvalue(result, row, 3)[0],
                    .definition = text(list, result, row, 4),
                    .timing = text(list, result, row, 5),
                    .predicate = text(list, result, row, 6),
                    .tablespace = text(list, result, row, 7),
                    .decoration = text(list, result, row, 8),
                    .parent = text(list, result, row, 9),
                    .successor = text(list, result, row, 10),
                    .beside = text(list, result, row, 11),
                    .in_place = query_bool(result, row, 12),
                    .taken = query_bool(result, row, 13),
                    .is_beside = query_bool(result, row, 14),
                    .valid = query_bool(result, row, 15),
                    .column_list = text(list, result, row, 16),
                    .condition = text(list, result, row, 17)};
}

static bool read_taken(List *list, Error *err) {
    PGresult *result = query_run(list->migration->conn, "reading the old keys", sql_old_keys, 0, NULL, err);

    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        list_add(list, take_key(list, result, i));
    PQclear(result);
    return true;
}

static bool read_unique_to_come(List *list, const Table *table, Error *err) {
    UniqueKey *keys;
    int n;

    if (!keys_unique(list->migration, table, &keys, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (!keys[i].restored)
            list_add(list, (OldKey){.schema = table->schema,
                                    .table = table->name,
                                    .name = keys[i].stored_name,
                                    .kind = keys[i].kind[0],
                                    .definition = keys[i].definition,
                                    .timing = keys[i].deferrable,
                                    .predicate = keys[i].predicate,
                                    .tablespace = keys[i].tablespace,
                                    .decoration = keys[i].decoration,
                                    .beside = keys[i].beside,
                                    .taken = true});
    }
    return true;
}

static bool read_to_come(List *list, Error *err) {
    const Migration *migration = list->migration;
    PairlessKey *keys;
    int n;

    for (int i = 0; i < migration->nall; i++) {
        if (!read_unique_to_come(list, migration->all[i], err))
            return false;
    }
    if (!keys_foreign(migration, NULL, &keys, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (!keys[i].restored)
            list_add(list, (OldKey){.schema = keys[i].child_schema,
                                    .table = keys[i].child_name,
                                    .name = keys[i].stored_name,
                                    .kind = 'f',
                                    .definition = keys[i].old_definition,
                                    .timing = "",
                                    .decoration = keys[i].decoration,
                                    .parent = keys[i].parent,
                                    .successor = keys[i].next_own,
                                    .beside = keys[i].beside,
                                    .taken = true});
    }
    return true;
}

bool old_keys_read(const Migration *migration, OldKey **keys, int *n, Error *err) {
    List list = {.migration = migration};
    bool exist;

    if (!anything_written(migration, &exist, err) || (exist && !read_taken(&list, err)) ||
        (!migration->undoing && !read_to_come(&list, err)))
        return false;
    *keys = list.items;
    *n = list.n;
    return true;
}

void old_keys_forget(const OldKey *key, Buf *out) {
    buf_append_cstr(out, "DELETE FROM shardferry.old_key WHERE (table_schema, table_name, name) = (");
    append_values(out, (const char *const[]){key->schema, key->table, key->name}, 3);
    buf_append_cstr(out, ");\n");
}
