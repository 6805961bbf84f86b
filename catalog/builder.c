/* Building a snapshot.
 *
 * While it grows, an object refers to others by index, because arrays still move; snapshot_build lays tables
 * and columns out for good, sorted, and turns the indexes into pointers. A draft's Table is the first member
 * of DraftTable and stays where it is, so that a source can set its scalar fields. */
#include "catalog/builder.h"

#include <stdlib.h>

#include "base/mem.h"
#include "catalog/internal.h"

typedef struct DraftKey {
    Key key;
    int *columns; /* index in the table's columns; -1 for an expression */
} DraftKey;

typedef struct DraftForeignKey {
    ForeignKey fk; /* what needs no other object */
    struct DraftTable *child, *parent;
    int *child_columns, *parent_columns;
} DraftForeignKey;

/* An array that grows; its memory is the builder's to free. */
typedef struct Vector {
    void *items;
    int n, capacity;
} Vector;

typedef struct DraftTable {
    Table table;    /* first */
    Vector columns; /* Column *, in the arena */
    Vector keys;    /* DraftKey */
    Table *final;   /* set by snapshot_build */
    Column *final_columns;
    struct DraftTable *next_in_bucket;
} DraftTable;

struct SnapshotBuilder {
    SnapshotHolder *holder;
    Arena *arena;
    Vector tables;       /* DraftTable *, in the arena */
    Vector foreign_keys; /* DraftForeignKey */
    Vector schemas;      /* const char * */
    Vector settings;     /* RoleSetting */
    DraftTable **buckets;
    uint32_t nbuckets; /* a power of two */
    Stage assumed;
};

static void *vector_push(Vector *vector, size_t item_size) {
    if (vector->n == vector->capacity) {
        vector->capacity = vector->capacity ? vector->capacity * 2 : 8;
        vector->items = mem_realloc(vector->items, item_size * (size_t)vector->capacity);
    }
    return memset((char *)vector->items + item_size * (size_t)vector->n++, 0, item_size);
}

#define VECTOR_PUSH(vector, type) ((type *)vector_push((vector), sizeof(type)))
#define VECTOR_ITEM(vector, type, i) (((type *)(vector)->items)[i])

SnapshotBuilder *snapshot_builder_new(void) {
    static atomic_uint_fast64_t generations;
    SnapshotBuilder *builder = MEM_NEW(SnapshotBuilder);

    builder->arena = arena_new();
    builder->holder = ARENA_NEW(builder->arena, SnapshotHolder);
    builder->holder->arena = builder->arena;
    atomic_init(&builder->holder->references, 1);
    builder->holder->snapshot.generation = atomic_fetch_add(&generations, 1) + 1;
    builder->holder->snapshot.search_path = "\"$user\", public";
    builder->nbuckets = 256;
    builder->buckets = mem_zalloc(sizeof(*builder->buckets) * builder->nbuckets);
    return builder;
}

/* What only building needed. */
static void free_drafts(SnapshotBuilder *builder) {
    for (int i = 0; i < builder->tables.n; i++) {
        DraftTable *draft = VECTOR_ITEM(&builder->tables, DraftTable *, i);

        free(draft->columns.items);
        free(draft->keys.items);
    }
    free(builder->tables.items);
    free(builder->foreign_keys.items);
    free(builder->schemas.items);
    free(builder->settings.items);
    free(builder->buckets);
    free(builder);
}

void snapshot_builder_free(SnapshotBuilder *builder) {
    Arena *arena = builder ? builder->arena : NULL;

    if (!builder)
        return;
    free_drafts(builder);
    arena_free(arena);
}

Arena *snapshot_builder_arena(SnapshotBuilder *builder) { return builder->arena; }
Snapshot *snapshot_builder_target(SnapshotBuilder *builder) { return &builder->holder->snapshot; }

static uint32_t bucket_of(const SnapshotBuilder *builder, const char *schema, const char *name) {
    uint64_t hash = str_hash(str_of(schema)) * 31 + str_hash(str_of(name));

    return (uint32_t)(hash ^ hash >> 32) & (builder->nbuckets - 1);
}

static void link_table(SnapshotBuilder *builder, DraftTable *draft) {
    uint32_t bucket = bucket_of(builder, draft->table.schema, draft->table.name);

    draft->next_in_bucket = builder->buckets[bucket];
    builder->buckets[bucket] = draft;
}

static void grow_buckets(SnapshotBuilder *builder) {
    free(builder->buckets);
    builder->nbuckets *= 4;
    builder->buckets = mem_zalloc(sizeof(*builder->buckets) * builder->nbuckets);
    for (int i = 0; i < builder->tables.n; i++)
        link_table(builder, VECTOR_ITEM(&builder->tables, DraftTable *, i));
}

Table *snapshot_find_table(SnapshotBuilder *builder, const char *schema, const char *name) {
    DraftTable *draft = builder->buckets[bucket_of(builder, schema, name)];

    while (draft && (strcmp(draft->table.name, name) != 0 || strcmp(draft->table.schema, schema) != 0))
        draft = draft->next_in_bucket;
    return draft ? &draft->table : NULL;
}

Table *snapshot_add_table(SnapshotBuilder *builder, const char *schema, const char *name, char relkind) {
    DraftTable *draft = ARENA_NEW(builder->arena, DraftTable);

    draft->table.schema = arena_strdup(builder->arena, schema);
    draft->table.name = arena_strdup(builder->arena, name);
    draft->table.relkind = relkind;
    draft->table.row_estimate = -1;
    *VECTOR_PUSH(&builder->tables, DraftTable *) = draft;
    if ((uint32_t)builder->tables.n > builder->nbuckets)
        grow_buckets(builder);
    else
        link_table(builder, draft);
    return &draft->table;
}

static int find_column(const DraftTable *draft, const char *name) {
    for (int i = 0; i < draft->columns.n; i++) {
        if (strcmp(VECTOR_ITEM(&draft->columns, Column *, i)->name, name) == 0)
            return i;
    }
    return -1;
}

Column *snapshot_find_column(SnapshotBuilder *builder, Table *table, const char *name) {
    DraftTable *draft = (DraftTable *)table;
    int i = find_column(draft, name);

    (void)builder;
    return i >= 0 ? VECTOR_ITEM(&draft->columns, Column *, i) : NULL;
}

const Column *snapshot_column_at(SnapshotBuilder *builder, const Table *table, int index) {
    const DraftTable *draft = (const DraftTable *)table;

    (void)builder;
    return index < draft->columns.n ? VECTOR_ITEM(&draft->columns, Column *, index) : NULL;
}

Column *snapshot_add_column(SnapshotBuilder *builder, Table *table, const char *name, const char *type,
                            const char *type_schema, const char *type_name) {
    DraftTable *draft = (DraftTable *)table;
    Column *column = ARENA_NEW(builder->arena, Column);

    column->name = arena_strdup(builder->arena, name);
    column->type = arena_strdup(builder->arena, type);
    column->type_schema = arena_strdup(builder->arena, type_schema);
    column->type_name = arena_strdup(builder->arena, type_name);
    *VECTOR_PUSH(&draft->columns, Column *) = column;
    column->position = draft->columns.n;
    return column;
}

/* Turns names into indexes; a NULL name is an expression. */
static int *resolve_columns(SnapshotBuilder *builder, const DraftTable *draft, const char *const *names,
                            int n, const char *object, Error *err) {
    int *columns = ARENA_ARRAY(builder->arena, int, n);

    for (int i = 0; i < n; i++) {
        columns[i] = names[i] ? find_column(draft, names[i]) : -1;
        if (names[i] && columns[i] < 0) {
            error_set(err, "42703", "column \"%s\" of \"%s\" does not exist in table %s.%s", names[i], object,
                      draft->table.schema, draft->table.name);
            return NULL;
        }
    }
    return columns;
}

bool snapshot_add_key(SnapshotBuilder *builder, Table *table, const char *name, bool primary, bool constraint,
                      bool partial_or_expression, const char *const *columns, int ncolumns, Error *err) {
    DraftTable *draft = (DraftTable *)table;
    int *resolved = resolve_columns(builder, draft, columns, ncolumns, name, err);
    DraftKey *key;

    if (!resolved)
        return false;
    key = VECTOR_PUSH(&draft->keys, DraftKey);
    key->key.name = arena_strdup(builder->arena, name);
    key->key.primary = primary;
    key->key.constraint = constraint;
    key->key.partial_or_expression = partial_or_expression;
    key->key.ncolumns = ncolumns;
    key->columns = resolved;
    return true;
}

bool snapshot_add_foreign_key(SnapshotBuilder *builder, Table *child, Table *parent, const char *name,
                              const char *const *child_columns, const char *const *parent_columns,
                              int ncolumns, ForeignKeyRules rules, Error *err) {
    DraftTable *from = (DraftTable *)child, *to = (DraftTable *)parent;
    int *child_resolved = resolve_columns(builder, from, child_columns, ncolumns, name, err);
    int *parent_resolved =
        child_resolved ? resolve_columns(builder, to, parent_columns, ncolumns, name, err) : NULL;
    DraftForeignKey *draft;

    if (!parent_resolved)
        return false;
    draft = VECTOR_PUSH(&builder->foreign_keys, DraftForeignKey);
    draft->fk.name = arena_strdup(builder->arena, name);
    draft->fk.ncolumns = ncolumns;
    draft->fk.validated = rules.validated;
    draft->fk.deferrable = rules.deferrable;
    draft->fk.on_delete = rules.on_delete;
    draft->fk.on_update = rules.on_update;
    draft->child = from;
    draft->parent = to;
    draft->child_columns = child_resolved;
    draft->parent_columns = parent_resolved;
    return true;
}

bool snapshot_trust_foreign_key(SnapshotBuilder *builder, const Table *child, const char *name,
                                bool validated) {
    for (int i = 0; i < builder->foreign_keys.n; i++) {
        DraftForeignKey *draft = &VECTOR_ITEM(&builder->foreign_keys, DraftForeignKey, i);

        if (&draft->child->table == child && strcmp(draft->fk.name, name) == 0) {
            draft->fk.validated |= validated;
            return true;
        }
    }
    return false;
}

void snapshot_add_stage(SnapshotBuilder *builder, Table *table, Stage stage, const char *tenant_column,
                        bool backfill) {
    table->staged = true;
    table->staged_backfill = backfill;
    table->stage = stage;
    table->tenant_column = arena_strdup(builder->arena, tenant_column);
}

void snapshot_assume_stage(SnapshotBuilder *builder, Stage stage) { builder->assumed = stage; }

void snapshot_add_schema(SnapshotBuilder *builder, const char *schema) {
    *VECTOR_PUSH(&builder->schemas, const char *) = arena_strdup(builder->arena, schema);
}

void snapshot_add_setting(SnapshotBuilder *builder, const char *role, const char *database, const char *name,
                          const char *value) {
    RoleSetting *setting = VECTOR_PUSH(&builder->settings, RoleSetting);

    setting->role = role ? arena_strdup(builder->arena, role) : NULL;
    setting->database = database ? arena_strdup(builder->arena, database) : NULL;
    setting->name = arena_strdup(builder->arena, name);
    setting->value = arena_strdup(builder->arena, value);
}

static int compare_drafts(const void *a, const void *b) {
    const Table *left = &(*(DraftTable *const *)a)->table, *right = &(*(DraftTable *const *)b)->table;
    int order = strcmp(left->schema, right->schema);

    return order ? order : strcmp(left->name, right->name);
}

static int compare_keys(const void *a, const void *b) {
    const Key *left = &((const DraftKey *)a)->key, *right = &((const DraftKey *)b)->key;

    return left->primary != right->primary ? right->primary - left->primary : strcmp(left->name, right->name);
}

static int compare_foreign_keys(const void *a, const void *b) {
    return strcmp(((const DraftForeignKey *)a)->fk.name, ((const DraftForeignKey *)b)->fk.name);
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* qsort must not get a NULL array, not even an empty one. */
static void vector_sort(Vector *vector, size_t item_size, int (*compare)(const void *, const void *)) {
    if (vector->n > 1)
        qsort(vector->items, (size_t)vector->n, item_size, compare);
}

static const Column **pick_columns(Arena *arena, const DraftTable *draft, const int *indexes, int n) {
    const Column **columns = ARENA_ARRAY(arena, const Column *, n);

    for (int i = 0; i < n; i++)
        columns[i] = indexes[i] >= 0 ? &draft->final_columns[indexes[i]] : NULL;
    return columns;
}

/* Which tables get a tenant column that is assumed shows when all is frozen: there is room for it in each. */
static void freeze_table(Arena *arena, DraftTable *draft, Table *final) {
    Key *keys = ARENA_ARRAY(arena, Key, draft->keys.n);

    *final = draft->table;
    draft->final = final;
    draft->final_columns = ARENA_ARRAY(arena, Column, draft->columns.n + 1);
    for (int i = 0; i < draft->columns.n; i++)
        draft->final_columns[i] = *VECTOR_ITEM(&draft->columns, Column *, i);
    vector_sort(&draft->keys, sizeof(DraftKey), compare_keys);
    for (int i = 0; i < draft->keys.n; i++) {
        const DraftKey *key = &VECTOR_ITEM(&draft->keys, DraftKey, i);

        keys[i] = key->key;
        keys[i].columns = pick_columns(arena, draft, key->columns, key->key.ncolumns);
    }
    final->columns = draft->final_columns;
    final->ncolumns = draft->columns.n;
    final->keys = keys;
    final->nkeys = draft->keys.n;
}

static void freeze_tables(SnapshotBuilder *builder) {
    Snapshot *snapshot = &builder->holder->snapshot;

    vector_sort(&builder->tables, sizeof(DraftTable *), compare_drafts);
    snapshot->ntables = builder->tables.n;
    snapshot->tables = ARENA_ARRAY(builder->arena, Table, builder->tables.n);
    for (int i = 0; i < builder->tables.n; i++)
        freeze_table(builder->arena, VECTOR_ITEM(&builder->tables, DraftTable *, i), &snapshot->tables[i]);
}

/* Two passes: count what each table gets, then hand it out, in the order of the constraints' names. */
static void freeze_foreign_keys(SnapshotBuilder *builder) {
    Arena *arena = builder->arena;
    Vector *drafts = &builder->foreign_keys;

    vector_sort(drafts, sizeof(DraftForeignKey), compare_foreign_keys);
    for (int i = 0; i < drafts->n; i++) {
        VECTOR_ITEM(drafts, DraftForeignKey, i).child->final->nforeign_keys++;
        VECTOR_ITEM(drafts, DraftForeignKey, i).parent->final->nreferenced_by++;
    }
    for (int i = 0; i < builder->tables.n; i++) {
        Table *table = VECTOR_ITEM(&builder->tables, DraftTable *, i)->final;

        table->foreign_keys = ARENA_ARRAY(arena, const ForeignKey *, table->nforeign_keys);
        table->referenced_by = ARENA_ARRAY(arena, const ForeignKey *, table->nreferenced_by);
        table->nforeign_keys = table->nreferenced_by = 0;
    }
    for (int i = 0; i < drafts->n; i++) {
        DraftForeignKey *draft = &VECTOR_ITEM(drafts, DraftForeignKey, i);
        Table *child = draft->child->final, *parent = draft->parent->final;
        ForeignKey *fk = ARENA_NEW(arena, ForeignKey);

        *fk = draft->fk;
        fk->child = child;
        fk->parent = parent;
        fk->child_columns = pick_columns(arena, draft->child, draft->child_columns, fk->ncolumns);
        fk->parent_columns = pick_columns(arena, draft->parent, draft->parent_columns, fk->ncolumns);
        child->foreign_keys[child->nforeign_keys++] = fk;
        parent->referenced_by[parent->nreferenced_by++] = fk;
    }
}

static void freeze_lists(SnapshotBuilder *builder) {
    Snapshot *snapshot = &builder->holder->snapshot;
    RoleSetting *settings = ARENA_ARRAY(builder->arena, RoleSetting, builder->settings.n);

    vector_sort(&builder->schemas, sizeof(const char *), compare_strings);
    snapshot->schemas = ARENA_ARRAY(builder->arena, const char *, builder->schemas.n);
    for (int i = 0; i < builder->schemas.n; i++) {
        const char *schema = VECTOR_ITEM(&builder->schemas, const char *, i);

        if (snapshot->nschemas == 0 || strcmp(snapshot->schemas[snapshot->nschemas - 1], schema) != 0)
            snapshot->schemas[snapshot->nschemas++] = schema;
    }
    for (int i = 0; i < builder->settings.n; i++)
        settings[i] = VECTOR_ITEM(&builder->settings, RoleSetting, i);
    snapshot->settings = settings;
    snapshot->nsettings = builder->settings.n;
}

/* A column like the tenant's key, behind the last one of the table. */
static void append_tenant_column(Table *table, const Column *key, bool not_null) {
    Column *column = (Column *)&table->columns[table->ncolumns++];

    *column = (Column){.name = table->tenant_column,
                       .position = table->ncolumns > 1 ? column[-1].position + 1 : 1,
                       .type = key->type,
                       .type_schema = key->type_schema,
                       .type_name = key->type_name,
                       .not_null = not_null};
    table->tenant = column;
}

static void assume_stage(Snapshot *snapshot, Stage stage) {
    for (int i = 0; i < snapshot->ntables; i++) {
        Table *table = &snapshot->tables[i];

        if (table->kind != KIND_BACKFILL || table->stage >= stage)
            continue;
        table->staged = table->staged_backfill = true;
        table->stage = stage;
        if (!table->tenant)
            append_tenant_column(table, snapshot->tenant_table->tenant, stage >= STAGE_KEYED);
    }
}

Snapshot *snapshot_build(SnapshotBuilder *builder, const Config *config, Error *err) {
    SnapshotHolder *holder = builder->holder;
    Stage assumed = builder->assumed;

    freeze_tables(builder);
    freeze_foreign_keys(builder);
    freeze_lists(builder);
    snapshot_index(holder);
    free_drafts(builder);
    if (!tenant_infer(&holder->snapshot, holder->arena, config, err)) {
        snapshot_unref(&holder->snapshot);
        return NULL;
    }
    assume_stage(&holder->snapshot, assumed);
    return &holder->snapshot;
}
