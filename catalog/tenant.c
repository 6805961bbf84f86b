/* What each table is to the tenant.
 *
 * The tenant table is configured, its key is the tenant. Every other table is judged by the first of these
 * that holds: its [table] section; a row in shardferry.stage (it was taken into the migration as backfill,
 * and stays that although it has its column by now); Citus's own metadata; having the tenant column; a
 * foreign-key path to a table that has it; being referenced by any of these. Partitions are what their
 * partitioned table is. */
#include "catalog/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

typedef struct Inference {
    Snapshot *snapshot;
    Arena *arena;
    const Config *config;
    PathNode *nodes;
    const TableConfig **sections; /* per table; NULL without one */
    Table *tenant_table;
    const Column *key;  /* the tenant table's tenant column: its type is the tenant's type */
    const char *column; /* the tenant column's name in all other tables */
} Inference;

/* ---- errors that name their place in the file ---- */

static int tenant_setting_line(const Config *config, const char *name) {
    for (int i = 0; i < settings_count; i++) {
        if (strcmp(settings_table[i].section, "tenant") == 0 && strcmp(settings_table[i].name, name) == 0)
            return config->source_line[i];
    }
    return 0;
}

static bool at_line(Error *err, const Config *config, int line) {
    const char *path = config->path ? config->path : "configuration";

    return line > 0 ? error_prefix(err, "%s:%d", path, line) : error_prefix(err, "%s", path);
}

static bool at_section(Error *err, const Config *config, const TableConfig *section, const char *setting) {
    if (setting)
        error_prefix(err, "%s", setting);
    error_prefix(err, "[table %s]", section->written);
    return at_line(err, config, section->line);
}

/* ---- names ---- */

/* The search path of a session of which nothing is known but the database. */
static const char *common_search_path(const Snapshot *snapshot) {
    for (int i = 0; i < snapshot->nsettings; i++) {
        const RoleSetting *setting = &snapshot->settings[i];
        bool here =
            setting->database && (!snapshot->database || strcmp(setting->database, snapshot->database) == 0);

        if (here && !setting->role && strcmp(setting->name, "search_path") == 0)
            return setting->value;
    }
    return snapshot->search_path;
}

Table *tenant_resolve(const Snapshot *snapshot, Arena *arena, const char *schema, const char *name) {
    const char **path;
    int npath;

    if (schema)
        return (Table *)snapshot_table(snapshot, schema, name);
    path = search_path_split(arena, common_search_path(snapshot), &npath);
    for (int i = 0; i < npath; i++) {
        const Table *table = snapshot_table(snapshot, path[i], name);

        if (table)
            return (Table *)table;
    }
    return NULL;
}

/* Where else a name occurs, as a hint. */
static void hint_elsewhere(const Inference *inf, const char *name, Error *err) {
    for (int i = 0; i < inf->snapshot->ntables; i++) {
        const Table *table = &inf->snapshot->tables[i];

        if (strcmp(table->name, name) == 0 || str_ieq(str_of(table->name), name)) {
            error_hint(
                err,
                "There is %s; names are folded to lower case unless they are quoted, and looked up in %s.",
                table_qualified_name(inf->arena, table), common_search_path(inf->snapshot));
            return;
        }
    }
}

static bool is_table(const Table *table) { return table->relkind == 'r' || table->relkind == 'p'; }
static bool is_view(const Table *table) { return table->relkind == 'v' || table->relkind == 'm'; }

/* ---- the tenant table ---- */

static const Column *single_key(const Table *table) {
    bool single = table->nkeys > 0 && table->keys[0].primary && table->keys[0].ncolumns == 1;

    return single ? table->keys[0].columns[0] : NULL;
}

static bool references(const Table *child, const Column *column, const Table *parent) {
    for (int i = 0; i < child->nforeign_keys; i++) {
        const ForeignKey *fk = child->foreign_keys[i];

        if (fk->parent == parent && fk->ncolumns == 1 && fk->child_columns[0] == column)
            return true;
    }
    return false;
}

/* Without `column` the key's own name is looked for everywhere. A name like "id", which other tables give to
 * keys of their own, would make tenants of all of them. */
static bool check_common_name(Inference *inf, Error *err) {
    const Snapshot *snapshot = inf->snapshot;

    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];
        const Column *key = single_key(table);

        if (table != inf->tenant_table && key && !table->partition_of &&
            strcmp(key->name, inf->column) == 0 && !references(table, key, inf->tenant_table)) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
                      "[tenant] column is not set, and the key of %s is called \"%s\", as the key of %s is",
                      table_qualified_name(inf->arena, inf->tenant_table), inf->column,
                      table_qualified_name(inf->arena, table));
            error_hint(err,
                       "Set it to the name that the tenant's key has, or shall have, in the other tables.");
            return at_line(err, inf->config, tenant_setting_line(inf->config, "table"));
        }
    }
    return true;
}

static bool find_key(Inference *inf, Error *err) {
    const Config *config = inf->config;
    const Table *table = inf->tenant_table;
    const Column *named = config->tenant_column ? table_column(table, config->tenant_column) : NULL;
    int nkey = table->nkeys > 0 && table->keys[0].primary ? table->keys[0].ncolumns : 0;

    inf->key = named ? named : single_key(table);
    if (!inf->key) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "[tenant] table %s has %s",
                  table_qualified_name(inf->arena, table),
                  nkey > 1 ? "a primary key of several columns" : "no primary key");
        error_hint(err, "Set [tenant] column to the one of its columns that identifies a tenant.");
        return at_line(err, config, tenant_setting_line(config, "table"));
    }
    inf->column = config->tenant_column ? config->tenant_column : inf->key->name;
    inf->column = arena_strdup(inf->arena, inf->column);
    return config->tenant_column || check_common_name(inf, err);
}

/* Goes before what the source has found already: it matters more. */
static void add_warning(Inference *inf, const char *text) {
    const char *earlier = inf->snapshot->warning;

    inf->snapshot->warning = earlier ? arena_printf(inf->arena, "%s; %s", text, earlier) : text;
}

/* Leaves tenant_table NULL, with a warning in the snapshot, where there is none to be found: a database in
 * which the application has not made its tables yet is no error. */
static bool find_tenant_table(Inference *inf, Error *err) {
    const Config *config = inf->config;
    Snapshot *snapshot = inf->snapshot;
    char *schema = NULL, *name = NULL;
    Table *table;

    if (!config || !config->tenant_table) {
        add_warning(inf, "no tenant table is configured: nothing is known of tenants");
        return true;
    }
    if (!config_table_name(config->tenant_table, &schema, &name, err))
        return at_line(err, config, tenant_setting_line(config, "table"));
    table = tenant_resolve(snapshot, inf->arena, schema, name);
    free(schema);
    free(name);
    if (!table) {
        add_warning(inf, arena_printf(inf->arena,
                                      "the tenant table %s does not exist in %s%s: nothing is known of "
                                      "tenants",
                                      config->tenant_table, snapshot->database ? "database " : "the dump",
                                      snapshot->database ? snapshot->database : ""));
        return true;
    }
    if (!is_table(table) || table->partition_of) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "[tenant] table %s is %s, not a table",
                  config->tenant_table,
                  is_view(table)        ? "a view"
                  : table->partition_of ? "a partition"
                                        : "a foreign table");
        return at_line(err, config, tenant_setting_line(config, "table"));
    }
    inf->tenant_table = table;
    snapshot->tenant_table = table;
    return find_key(inf, err);
}

/* ---- sections ---- */

static bool check_section(const Inference *inf, const TableConfig *section, const Table *table, Error *err) {
    const TableConfig *earlier = inf->sections[table - inf->snapshot->tables];
    const char *full = table_qualified_name(inf->arena, table);

    if (earlier)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "line %d is about the same table, %s",
                         earlier->line, full);
    if (table->partition_of) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is a partition of %s", full, table->partition_of);
        return error_hint(err, "Partitions are what their partitioned table is: configure that.");
    }
    if (!is_table(table)) {
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is %s, not a table", full,
                         is_view(table) ? "a view" : "a foreign table");
    }
    if (table == inf->tenant_table &&
        ((section->kind != CONF_KIND_UNSET && section->kind != CONF_KIND_DISTRIBUTED) ||
         section->tenant_from)) {
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
                         "it is the tenant table, which is distributed by its key");
    }
    if (section->tenant_from && section->kind != CONF_KIND_UNSET && section->kind != CONF_KIND_BACKFILL) {
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "tenant_from belongs to kind = backfill alone");
    }
    if (section->kind == CONF_KIND_DISTRIBUTED && table != inf->tenant_table &&
        !table_column(table, inf->column)) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "kind = distributed, but %s has no column \"%s\"", full,
                  inf->column);
        return error_hint(err, "A table that is to get the column is kind = backfill.");
    }
    return true;
}

static bool attach_sections(Inference *inf, Error *err) {
    for (int i = 0; i < inf->config->ntables; i++) {
        const TableConfig *section = &inf->config->tables[i];
        Table *table = tenant_resolve(inf->snapshot, inf->arena, section->schema, section->table);
        PathNode *node;

        if (!table) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "there is no such table");
            hint_elsewhere(inf, section->table, err);
            return at_section(err, inf->config, section, NULL);
        }
        if (!check_section(inf, section, table, err))
            return at_section(err, inf->config, section, NULL);
        node = &inf->nodes[table - inf->snapshot->tables];
        inf->sections[table - inf->snapshot->tables] = section;
        if (section->tenant_from) {
            node->forced = tenant_from_resolve(inf->snapshot, inf->arena, table, section->tenant_from, err);
            if (!node->forced)
                return at_section(err, inf->config, section, "tenant_from");
        }
    }
    return true;
}

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
static void judge_by_citus(const Inference *inf, Table *table, PathNode *node) {
    set_kind(table, table->citus == CITUS_DISTRIBUTED ? KIND_DISTRIBUTED : KIND_REFERENCE, REASON_CITUS);
    node->terminal = table->kind == KIND_DISTRIBUTED && inf->column && table_column(table, inf->column);
    if (table->kind == KIND_DISTRIBUTED && !node->terminal)
        table->tenant_column = table->citus_column;
}

static void judge(const Inference *inf, Table *table, PathNode *node) {
    const TableConfig *section = inf->sections[table - inf->snapshot->tables];

    set_kind(table, KIND_LOCAL, REASON_NONE);
    if (!is_table(table) || table->partition_of)
        return;
    if (table == inf->tenant_table) {
        set_kind(table, KIND_DISTRIBUTED, REASON_TENANT_TABLE);
        node->terminal = true;
    } else if (judge_by_section(section, table, node)) {
        return;
    } else if (inf->tenant_table && table->staged) {
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
static void set_tenant_column(const Inference *inf, Table *table) {
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

static void find_problem(const Inference *inf, Table *table) {
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
static bool follow_paths(Inference *inf, Error *err) {
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
            return at_section(err, inf->config, inf->sections[i], "tenant_from");
        }
    }
    return true;
}

/* Tables that tenant tables reference must be on every node, and so must what those reference in turn. */
static void find_references(const Inference *inf) {
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

                if (root->kind == KIND_LOCAL && root->reason == REASON_NONE && is_table(root)) {
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

static void find_roots(Inference *inf) {
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

static void follow_root(const Inference *inf, Table *table, const Table *root) {
    table->kind = root->kind;
    table->reason = root->reason;
    if (!table->staged) {
        table->stage = root->stage;
        table->staged = root->staged;
    }
    table->tenant_column = root->tenant_column;
    table->tenant = root->tenant ? table_column(table, root->tenant->name) : NULL;
    table->problem = root->problem;
    table->path = path_from(inf->arena, &root->path, table);
}

bool tenant_infer(Snapshot *snapshot, Arena *arena, const Config *config, Error *err) {
    size_t n = (size_t)snapshot->ntables;
    Inference inf = {.snapshot = snapshot, .arena = arena, .config = config};
    bool done = false;

    inf.nodes = mem_zalloc((n + 1) * sizeof(*inf.nodes));
    inf.sections = mem_zalloc((n + 1) * sizeof(*inf.sections));
    if (!find_tenant_table(&inf, err) || (inf.tenant_table && !attach_sections(&inf, err)))
        goto failed;
    find_roots(&inf);
    for (size_t i = 0; i < n; i++)
        judge(&inf, &snapshot->tables[i], &inf.nodes[i]);
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
