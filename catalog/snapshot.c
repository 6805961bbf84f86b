/* Reading a snapshot: look-up, names of its terms, description, reference counting.
 *
 * Tables are found through a hash of schema and name with linear probing. It is at most half full, and it is
 * written once, before any other thread sees the snapshot. */
#include "catalog/internal.h"

#include <stdlib.h>

static const char *const stage_names[] = {
    [STAGE_OBSERVE] = "observe", [STAGE_DERIVE] = "derive",           [STAGE_KEYED] = "keyed",
    [STAGE_RESOLVE] = "resolve", [STAGE_DISTRIBUTED] = "distributed", [STAGE_DONE] = "done",
};

static const char *const kind_names[] = {
    [KIND_LOCAL] = "local",
    [KIND_REFERENCE] = "reference",
    [KIND_DISTRIBUTED] = "distributed",
    [KIND_BACKFILL] = "backfill",
};

static const char *const reason_texts[] = {
    [REASON_CONFIGURED] = "configured",
    [REASON_CITUS] = "Citus metadata",
    [REASON_TENANT_TABLE] = "the tenant table",
    [REASON_HAS_COLUMN] = "has the tenant column",
    [REASON_PATH] = "foreign keys lead to the tenant",
    [REASON_REFERENCED] = "referenced, reaches no tenant",
    [REASON_NONE] = "nothing links it to a tenant",
};

static int index_of(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

const char *stage_name(Stage stage) { return stage_names[stage]; }
const char *kind_name(TableKind kind) { return kind_names[kind]; }
const char *reason_text(KindReason reason) { return reason_texts[reason]; }

bool stage_parse(const char *name, Stage *stage) {
    int i = index_of(stage_names, ARRAY_LEN(stage_names), name);

    if (i >= 0)
        *stage = (Stage)i;
    return i >= 0;
}

/* The constant is odd and large, so that (a, b) and (b, a) differ. */
static uint32_t hash_name(const char *schema, const char *name) {
    uint64_t hash = str_hash(str_of(schema)) * 0x9e3779b97f4a7c15u ^ str_hash(str_of(name));

    return (uint32_t)(hash ^ hash >> 32);
}

void snapshot_index(SnapshotHolder *holder) {
    Snapshot *snapshot = &holder->snapshot;
    uint32_t size = 8;

    while (size < 2 * (uint32_t)snapshot->ntables)
        size *= 2;
    holder->mask = size - 1;
    holder->slots = ARENA_ARRAY(holder->arena, uint32_t, size);
    for (int i = 0; i < snapshot->ntables; i++) {
        uint32_t slot = hash_name(snapshot->tables[i].schema, snapshot->tables[i].name) & holder->mask;

        while (holder->slots[slot])
            slot = (slot + 1) & holder->mask;
        holder->slots[slot] = (uint32_t)i + 1;
    }
}

const Table *snapshot_table(const Snapshot *snapshot, const char *schema, const char *name) {
    const SnapshotHolder *holder = (const SnapshotHolder *)snapshot;
    uint32_t slot = hash_name(schema, name) & holder->mask;

    for (; holder->slots[slot]; slot = (slot + 1) & holder->mask) {
        const Table *table = &snapshot->tables[holder->slots[slot] - 1];

        if (strcmp(table->name, name) == 0 && strcmp(table->schema, schema) == 0)
            return table;
    }
    return NULL;
}

static int compare_name(const void *key, const void *entry) {
    return strcmp(key, *(const char *const *)entry);
}

bool snapshot_has_schema(const Snapshot *snapshot, const char *schema) {
    if (snapshot->nschemas == 0)
        return false;
    return bsearch(schema, snapshot->schemas, (size_t)snapshot->nschemas, sizeof(*snapshot->schemas),
                   compare_name) != NULL;
}

const Column *table_column(const Table *table, const char *name) {
    for (int i = 0; i < table->ncolumns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

Snapshot *snapshot_ref(Snapshot *snapshot) {
    atomic_fetch_add_explicit(&((SnapshotHolder *)snapshot)->references, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_unref(Snapshot *snapshot) {
    SnapshotHolder *holder = (SnapshotHolder *)snapshot;

    if (snapshot && atomic_fetch_sub_explicit(&holder->references, 1, memory_order_acq_rel) == 1)
        arena_free(holder->arena);
}

static void describe_columns(const Column *const *columns, int n, Buf *buf) {
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_append_cstr(buf, ", ");
        quote_identifier(buf, columns[i]->name);
    }
}

static void describe_name(const Table *table, Buf *buf) {
    quote_identifier(buf, table->schema);
    buf_append_cstr(buf, ".");
    quote_identifier(buf, table->name);
}

void tenant_path_describe(const TenantPath *path, Buf *buf) {
    for (int i = 0; i < path->nsteps; i++) {
        const ForeignKey *fk = path->steps[i];
        const char *open = fk->ncolumns > 1 ? "(" : "";
        const char *close = fk->ncolumns > 1 ? ")" : "";

        buf_append_cstr(buf, i > 0 ? ", " : "");
        buf_append_cstr(buf, open);
        describe_columns((const Column *const *)fk->child_columns, fk->ncolumns, buf);
        buf_append_cstr(buf, close);
        buf_append_cstr(buf, " -> ");
        describe_name(fk->parent, buf);
        buf_append_cstr(buf, "(");
        describe_columns((const Column *const *)fk->parent_columns, fk->ncolumns, buf);
        buf_append_cstr(buf, ")");
    }
}
