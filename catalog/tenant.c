/* What each table is to the tenant.
 *
 * The tenant table is configured, its key is the tenant. Every other table is judged by the first of these
 * that holds: its [table] section; a row in shardferry.stage (it was taken into the migration as backfill,
 * and stays that although it has its column by now); Citus's own metadata; having the tenant column; a
 * foreign-key path to a table that has it; being referenced by any of these. Partitions are what their
 * partitioned table is. */
#include <stdlib.h>

#include "base/mem.h"
#include "catalog/tenant_internal.h"

/* ---- judging ---- */

static void set_kind(Table *table, TableKind kind, KindReason reason) {
    table->kind = kind;
    table->reason = reason;
}

/* What a table's section says; false if it leaves the kind open. */
static bool judge_by_section(const TableConfig *section, Table *table, PathNode *node) {
    static const TableKind kinds[] = {
        [CONF_KIND_DISTRIBUTED] = KIND_DISTRIBUTED,
        [CONF_KIND_BACKFILL] = KIND_BACKFILL,
        [CONF_KIND_REFERENCE] = KIND_REFERENCE,
        [CONF_KIND_LOCAL] = KIND_LOCAL,
    };

    if (!section || (section->kind == CONF_KIND_UNSET && !section->tenant_from))
        return false;
    set_kind(table, section->kind == CONF_KIND_UNSET ? KIND_BACKFILL : kinds[section->kind],
             REASON_CONFIGURED);
    node->candidate = table->kind == KIND_BACKFILL;
    node->terminal = table->kind == KIND_DISTRIBUTED;
    return true;
}

/* A table that Citus distributes by another column than the tenant's is distributed, but no way to a tenant.
 */
static void judge_by_citus(const TenantInference *inf, Table *table, PathNode *node) {
    set_kind(table, table->citus == CITUS_DISTRIBUTED ? KIND_DISTRIBUTED : KIND_REFERENCE, REASON_CITUS);
    node->terminal = table->kind == KIND_DISTRIBUTED && inf->column && table_column(table, inf->column);
    if (table->kind == KIND_DISTRIBUTED && !node->terminal)
        table->tenant_column = table->citus_column;
}

/* What the configuration says of its writes and reads. */
static void take_settings(const TenantInference *inf, const TableConfig *section, Table *table) {
    static const OnUnknown on_unknown[] = {
        [CONF_ON_UNKNOWN_AUTO] = ON_UNKNOWN_AUTO,
        [CONF_ON_UNKNOWN_PASS] = ON_UNKNOWN_PASS,
        [CONF_ON_UNKNOWN_REFUSE] = ON_UNKNOWN_REFUSE,
    };
    static const ReadsMode reads[] = {
        [CONF_READS_OFF] = READS_OFF,
        [CONF_READS_JOIN] = READS_JOIN,
        [CONF_READS_FILTER] = READS_FILTER,
    };
    static const ReadsMode own_reads[] = {
        [CONF_TABLE_READS_OFF] = READS_OFF,
        [CONF_TABLE_READS_JOIN] = READS_JOIN,
        [CONF_TABLE_READS_FILTER] = READS_FILTER,
    };

    if (section && section->on_unknown != CONF_ON_UNKNOWN_AUTO)
        table->on_unknown = on_unknown[section->on_unknown];
    else if (inf->config)
        table->on_unknown = on_unknown[inf->config->on_unknown];
    table->reads = inf->config ? reads[inf->config->reads] : READS_OFF;
    if (section && section->reads != CONF_TABLE_READS_AUTO)
        table->reads = own_reads[section->reads];
    table->hide_tenant = section && section->hide_tenant_column;
}

static void judge(const TenantInference *inf, Table *table, PathNode *node) {
    const TableConfig *section = inf->sections[table - inf->snapshot->tables];

    take_settings(inf, section, table);
    set_kind(table, KIND_LOCAL, REASON_NONE);
    if (!tenant_is_table(table) || table->partition_of)
        return;
    if (table == inf->tenant_table) {
        set_kind(table, KIND_DISTRIBUTED, REASON_TENANT_TABLE);
        node->terminal = true;
    } else if (judge_by_section(section, table, node)) {
        return;
    } else if (inf->tenant_table && table->staged && table->staged_backfill) {
        set_kind(table, KIND_BACKFILL, REASON_PATH);
        node->candidate = true;
    } else if (table->citus == CITUS_DISTRIBUTED || table->citus == CITUS_REFERENCE) {
        judge_by_citus(inf, table, node);
    } else if (inf->tenant_table && table_column(table, inf->column)) {
        set_kind(table, KIND_DISTRIBUTED, REASON_HAS_COLUMN);
        node->terminal = true;
    } else {
        node->candidate = inf->tenant_table != NULL;
    }
}

/* The column that a tenant table has or will have. */
static void set_tenant_column(const TenantInference *inf, Table *table) {
    if (table->kind != KIND_DISTRIBUTED && table->kind != KIND_BACKFILL) {
        table->tenant_column = NULL;
        return;
    }
    if (table == inf->tenant_table)
        table->tenant_column = inf->key->name;
    else if (!table->tenant_column)
        table->tenant_column = inf->column;
    table->tenant = table->tenant_column ? table_column(table, table->tenant_column) : NULL;
}

static bool same_type(const Column *a, const Column *b) {
    return strcmp(a->type_name, b->type_name) == 0 && strcmp(a->type_schema, b->type_schema) == 0;
}

static void find_problem(const TenantInference *inf, Table *table) {
    const Column *tenant = table->tenant;
    bool by_tenant = table->kind == KIND_DISTRIBUTED || table->kind == KIND_BACKFILL;

    if (by_tenant && table->citus == CITUS_REFERENCE)
        table->problem = "Citus has it as a reference table";
    else if (!by_tenant && table->citus == CITUS_DISTRIBUTED)
        table->problem = "Citus has it as a distributed table";
    else if (table->kind == KIND_BACKFILL && table->path.nsteps == 0)
        table->problem = "no foreign key leads from it to a tenant: set tenant_from";
    else if (tenant && inf->key && !same_type(tenant, inf->key))
        table->problem = arena_printf(inf->arena, "%s is %s, but %s.%s is %s", tenant->name, tenant->type,
                                      inf->tenant_table->name, inf->key->name, inf->key->type);
    else if (tenant && tenant->generated)
        table->problem =
            arena_printf(inf->arena, "%s is a generated column: Citus cannot distribute by it", tenant->name);
}

/* Gives each table that paths_find reached its path. A tenant_from that leads to no tenant is an error,
 * because the file says that it does. */
static bool follow_paths(TenantInference *inf, Error *err) {
    for (int i = 0; i < inf->snapshot->ntables; i++) {
        Table *table = &inf->snapshot->tables[i];
        const PathNode *node = &inf->nodes[i];

        if (node->steps > 0) {
            if (table->kind != KIND_BACKFILL)
                set_kind(table, KIND_BACKFILL, REASON_PATH);
            paths_fill(inf->snapshot, inf->arena, inf->nodes, table);
        } else if (node->forced) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s neither has a tenant nor leads to one",
                      table_qualified_name(inf->arena, node->forced->parent));
            return tenant_at_section(err, inf->config, inf->sections[i], "tenant_from");
        }
    }
    return true;
}

/* Tables that tenant tables reference must be on every node, and so must what those reference in turn. */
static void find_references(const TenantInference *inf) {
    bool found = inf->tenant_table != NULL;

    while (found) {
        found = false;
        for (int i = 0; i < inf->snapshot->ntables; i++) {
            const Table *child = &inf->snapshot->tables[inf->nodes[i].root];

            if (child->kind == KIND_LOCAL)
                continue;
            for (int j = 0; j < inf->snapshot->tables[i].nforeign_keys; j++) {
                const Table *parent = inf->snapshot->tables[i].foreign_keys[j]->parent;
                Table *root = &inf->snapshot->tables[inf->nodes[parent - inf->snapshot->tables].root];

                if (root->kind == KIND_LOCAL && root->reason == REASON_NONE && tenant_is_table(root)) {
                    set_kind(root, KIND_REFERENCE, REASON_REFERENCED);
                    found = true;
                }
            }
        }
    }
}

/* ---- partitions ---- */

/* partition_of is schema.name without quotes: a dot may be part of either. */
static int partition_parent(const Snapshot *snapshot, Arena *arena, const Table *table) {
    const char *dot = table->partition_of ? strchr(table->partition_of, '.') : NULL;

    for (; dot; dot = strchr(dot + 1, '.')) {
        const char *schema = arena_strndup(arena, table->partition_of, (size_t)(dot - table->partition_of));
        const Table *parent = snapshot_table(snapshot, schema, dot + 1);

        if (parent && parent != table)
            return (int)(parent - snapshot->tables);
    }
    return -1;
}

static void find_roots(TenantInference *inf) {
    Snapshot *snapshot = inf->snapshot;
    enum { DEEPEST = 64 }; /* far beyond any real nesting; a circle in a damaged source ends here */

    for (int i = 0; i < snapshot->ntables; i++) {
        int root = i;

        for (int depth = 0; depth < DEEPEST && snapshot->tables[root].partition_of; depth++) {
            int parent = partition_parent(snapshot, inf->arena, &snapshot->tables[root]);

            if (parent < 0)
                break;
            root = parent;
        }
        inf->nodes[i].root = root;
    }
}

/* The first step of the root's path, with the partition's columns in place of the root's. */
static const ForeignKey *step_from(Arena *arena, const ForeignKey *step, const Table *partition) {
    ForeignKey *fk = ARENA_NEW(arena, ForeignKey);

    *fk = *step;
    fk->child = partition;
    fk->child_columns = ARENA_ARRAY(arena, const Column *, fk->ncolumns);
    for (int i = 0; i < fk->ncolumns; i++) {
        fk->child_columns[i] = table_column(partition, step->child_columns[i]->name);
        if (!fk->child_columns[i])
            return NULL;
    }
    return fk;
}

static TenantPath path_from(Arena *arena, const TenantPath *path, const Table *partition) {
    TenantPath own = {ARENA_ARRAY(arena, const ForeignKey *, path->nsteps), path->nsteps};

    for (int i = 0; i < path->nsteps; i++)
        own.steps[i] = i == 0 ? step_from(arena, path->steps[0], partition) : path->steps[i];
    if (path->nsteps > 0 && !own.steps[0])
        own.nsteps = 0;
    return own;
}

static void follow_root(const TenantInference *inf, Table *table, const Table *root) {
    table->kind = root->kind;
    table->reason = root->reason;
    if (!table->staged) {
        table->stage = root->stage;
        table->staged = root->staged;
        table->staged_backfill = root->staged_backfill;
    }
    table->tenant_column = root->tenant_column;
    table->tenant = root->tenant ? table_column(table, root->tenant->name) : NULL;
    table->problem = root->problem;
    table->on_unknown = root->on_unknown;
    table->reads = root->reads;
    table->hide_tenant = root->hide_tenant;
    table->path = path_from(inf->arena, &root->path, table);
}

bool tenant_infer(Snapshot *snapshot, Arena *arena, const Config *config, Error *err) {
    size_t n = (size_t)snapshot->ntables;
    TenantInference inf = {.snapshot = snapshot, .arena = arena, .config = config};
    bool done = false;

    inf.nodes = mem_zalloc((n + 1) * sizeof(*inf.nodes));
    inf.sections = mem_zalloc((n + 1) * sizeof(*inf.sections));
    if (!tenant_find_table(&inf, err) || (inf.tenant_table && !tenant_attach_sections(&inf, err)))
        goto failed;
    find_roots(&inf);
    for (size_t i = 0; i < n; i++)
        judge(&inf, &snapshot->tables[i], &inf.nodes[i]);
    for (size_t i = 0; i < n && inf.column; i++)
        paths_set_edges(arena, &inf.nodes[i], &snapshot->tables[i], inf.column, inf.key);
    paths_find(snapshot, inf.nodes);
    if (!follow_paths(&inf, err))
        goto failed;
    find_references(&inf);
    for (size_t i = 0; i < n; i++) {
        set_tenant_column(&inf, &snapshot->tables[i]);
        find_problem(&inf, &snapshot->tables[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (inf.nodes[i].root != (int)i)
            follow_root(&inf, &snapshot->tables[i], &snapshot->tables[inf.nodes[i].root]);
    }
    done = true;
failed:
    free(inf.nodes);
    free(inf.sections);
    return done;
}
