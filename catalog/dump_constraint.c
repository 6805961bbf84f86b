/* Keys and foreign keys of a dump: the names that PostgreSQL would choose, the primary keys that are meant
 * without being named, the copies that partitions get. */
#include <stdlib.h>
#include <uthash.h>

#include "base/mem.h"
#include "catalog/dump_internal.h"

enum { NAME_BYTES = 63 };

typedef struct UsedName {
    const char *key; /* schema NUL name */
    UT_hash_handle hh;
} UsedName;

static const char *used_key(Arena *arena, const char *schema, const char *name, size_t *len) {
    size_t schema_len = strlen(schema), name_len = strlen(name);
    char *key = arena_alloc(arena, schema_len + name_len + 2);

    memcpy(key, schema, schema_len);
    memcpy(key + schema_len + 1, name, name_len);
    *len = schema_len + 1 + name_len;
    return key;
}

static bool is_used(DumpReader *reader, const char *schema, const char *name) {
    UsedName *used;
    size_t len;
    const char *key = used_key(reader->arena, schema, name, &len);

    HASH_FIND(hh, reader->used, key, len, used);
    return used || snapshot_find_table(reader->builder, schema, name);
}

void dump_use_name(DumpReader *reader, const char *schema, const char *name) {
    UsedName *used = ARENA_NEW(reader->arena, UsedName), *known;
    size_t len;

    used->key = used_key(reader->arena, schema, name, &len);
    HASH_FIND(hh, reader->used, used->key, len, known);
    if (!known)
        HASH_ADD_KEYPTR(hh, reader->used, used->key, len, used);
}

/* Cuts at a character boundary. */
static int clip(const char *s, int len) {
    while (len > 0 && ((unsigned char)s[len] & 0xC0) == 0x80)
        len--;
    return len;
}

/* first_second_label; the longer of the two parts is shortened until the whole fits. */
static const char *compose(Arena *arena, const char *first, const char *second, const char *label) {
    int rest = NAME_BYTES - (int)strlen(label) - 1 - (second ? 1 : 0);
    int first_len = (int)strlen(first), second_len = second ? (int)strlen(second) : 0;

    while (first_len + second_len > rest) {
        if (first_len > second_len)
            first_len--;
        else
            second_len--;
    }
    first_len = clip(first, first_len);
    if (!second)
        return arena_printf(arena, "%.*s_%s", first_len, first, label);
    return arena_printf(arena, "%.*s_%.*s_%s", first_len, first, clip(second, second_len), second, label);
}

const char *dump_sequence_name(Arena *arena, const char *table, const char *column) {
    return compose(arena, table, column, "seq");
}

const char *dump_choose_name(DumpReader *reader, const char *schema, const char *table,
                             const char *const *columns, int ncolumns, const char *label) {
    const char *joined = NULL, *name;

    for (int i = 0; i < ncolumns; i++) {
        const char *column = columns[i] ? columns[i] : "expr";

        joined = joined ? arena_printf(reader->arena, "%s_%s", joined, column) : column;
    }
    name = compose(reader->arena, table, joined, label);
    for (int n = 1; is_used(reader, schema, name); n++)
        name = compose(reader->arena, table, joined, arena_printf(reader->arena, "%s%d", label, n));
    return name;
}

static const char *choose(DumpReader *reader, const PendingConstraint *pending) {
    const DdlConstraint *def = &pending->def;
    const char *label = def->kind == DDL_FOREIGN_KEY   ? "fkey"
                        : def->kind == DDL_PRIMARY_KEY ? "pkey"
                        : pending->constraint          ? "key"
                                                       : "idx";

    return dump_choose_name(reader, pending->table->schema, pending->table->name, def->columns,
                            def->kind == DDL_PRIMARY_KEY ? 0 : def->ncolumns, label);
}

/* ---- partitions ---- */

static bool same_columns(const DdlConstraint *a, const DdlConstraint *b) {
    bool same = a->kind == b->kind && a->ncolumns == b->ncolumns;

    for (int i = 0; same && i < a->ncolumns; i++)
        same = a->columns[i] && b->columns[i] && strcmp(a->columns[i], b->columns[i]) == 0;
    return same;
}

static bool has_key(const DumpReader *reader, const Table *table, const DdlConstraint *like) {
    for (int i = 0; i < reader->nconstraints; i++) {
        if (reader->constraints[i].table == table && same_columns(&reader->constraints[i].def, like))
            return true;
    }
    return false;
}

static bool is_partition_of(Arena *arena, const Table *partition, const Table *parent) {
    return partition->partition_of &&
           strcmp(partition->partition_of, arena_printf(arena, "%s.%s", parent->schema, parent->name)) == 0;
}

/* A key of a partitioned table that is not said of it ONLY is one of each partition. The list grows while it
 * is walked, so that partitions of partitions get theirs. */
static void copy_to_partitions(DumpReader *reader) {
    for (int i = 0; i < reader->nconstraints; i++) {
        const PendingConstraint original = reader->constraints[i];

        if (original.table->relkind != 'p' || original.only || original.def.kind == DDL_FOREIGN_KEY)
            continue;
        for (int j = 0; j < reader->ntables; j++) {
            PendingConstraint copy = original;

            if (!is_partition_of(reader->arena, reader->tables[j], original.table) ||
                has_key(reader, reader->tables[j], &original.def))
                continue;
            copy.table = reader->tables[j];
            copy.def.name = NULL;
            if (reader->nconstraints == reader->constraints_capacity) {
                reader->constraints_capacity *= 2;
                reader->constraints = mem_realloc(
                    reader->constraints, sizeof(PendingConstraint) * (size_t)reader->constraints_capacity);
            }
            reader->constraints[reader->nconstraints++] = copy;
        }
    }
}

/* ---- adding ---- */

static const DdlConstraint *primary_key(const DumpReader *reader, const Table *table) {
    for (int i = 0; i < reader->nconstraints; i++) {
        if (reader->constraints[i].table == table && reader->constraints[i].def.kind == DDL_PRIMARY_KEY)
            return &reader->constraints[i].def;
    }
    return NULL;
}

static void add_key(DumpReader *reader, PendingConstraint *pending) {
    DdlConstraint *def = &pending->def;
    bool primary = def->kind == DDL_PRIMARY_KEY;
    Error err;

    if (!snapshot_add_key(reader->builder, pending->table, def->name, primary, pending->constraint,
                          def->partial_or_expression, def->columns, def->ncolumns, &err)) {
        dump_warn(reader, pending->line, "%s", err.message);
        return;
    }
    for (int i = 0; primary && i < def->ncolumns; i++)
        snapshot_find_column(reader->builder, pending->table, def->columns[i])->not_null = true;
}

static void add_foreign_key(DumpReader *reader, PendingConstraint *pending) {
    const DdlConstraint *def = &pending->def;
    Table *parent = snapshot_find_table(reader->builder, pending->parent_schema, def->parent.name);
    const DdlConstraint *key = parent && def->nparent_columns == 0 ? primary_key(reader, parent) : NULL;
    const char *const *columns = key ? key->columns : def->parent_columns;
    int ncolumns = key ? key->ncolumns : def->nparent_columns;
    Error err;

    if (!parent)
        dump_warn(reader, pending->line, "%s references %s, which is not there", def->name, def->parent.name);
    else if (ncolumns != def->ncolumns)
        dump_warn(reader, pending->line, "%s has %d columns, but references %d", def->name, def->ncolumns,
                  ncolumns);
    else if (!snapshot_add_foreign_key(
                 reader->builder, pending->table, parent, def->name, def->columns, columns, ncolumns,
                 (ForeignKeyRules){
                     .validated = !def->not_valid, .on_delete = def->on_delete, .on_update = def->on_update},
                 &err))
        dump_warn(reader, pending->line, "%s", err.message);
}

void dump_add_constraints(DumpReader *reader) {
    copy_to_partitions(reader);
    for (int i = 0; i < reader->nconstraints; i++) {
        PendingConstraint *pending = &reader->constraints[i];

        if (!pending->def.name) {
            pending->def.name = choose(reader, pending);
            dump_use_name(reader, pending->table->schema, pending->def.name);
        }
        if (pending->def.kind == DDL_FOREIGN_KEY)
            add_foreign_key(reader, pending);
        else
            add_key(reader, pending);
    }
    HASH_CLEAR(hh, reader->used);
}
