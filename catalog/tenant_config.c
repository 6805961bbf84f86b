/* What the configuration says of tenants: which table they are in, what its key is, and what the [table]
 * sections say of others. Errors name their place in the file. */
#include <stdlib.h>

#include "catalog/tenant_internal.h"

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

bool tenant_at_section(Error *err, const Config *config, const TableConfig *section, const char *setting) {
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
static void hint_elsewhere(const TenantInference *inf, const char *name, Error *err) {
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
static bool check_common_name(TenantInference *inf, Error *err) {
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

static bool find_key(TenantInference *inf, Error *err) {
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
static void add_warning(TenantInference *inf, const char *text) {
    const char *earlier = inf->snapshot->warning;

    inf->snapshot->warning = earlier ? arena_printf(inf->arena, "%s; %s", text, earlier) : text;
}

bool tenant_find_table(TenantInference *inf, Error *err) {
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
    if (!tenant_is_table(table) || table->partition_of) {
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

static bool check_section(const TenantInference *inf, const TableConfig *section, const Table *table,
                          Error *err) {
    const TableConfig *earlier = inf->sections[table - inf->snapshot->tables];
    const char *full = table_qualified_name(inf->arena, table);

    if (earlier)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "line %d is about the same table, %s",
                         earlier->line, full);
    if (table->partition_of) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is a partition of %s", full, table->partition_of);
        return error_hint(err, "Partitions are what their partitioned table is: configure that.");
    }
    if (!tenant_is_table(table)) {
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

bool tenant_attach_sections(TenantInference *inf, Error *err) {
    for (int i = 0; i < inf->config->ntables; i++) {
        const TableConfig *section = &inf->config->tables[i];
        Table *table = tenant_resolve(inf->snapshot, inf->arena, section->schema, section->table);
        PathNode *node;

        if (!table) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "there is no such table");
            hint_elsewhere(inf, section->table, err);
            return tenant_at_section(err, inf->config, section, NULL);
        }
        if (!check_section(inf, section, table, err))
            return tenant_at_section(err, inf->config, section, NULL);
        node = &inf->nodes[table - inf->snapshot->tables];
        inf->sections[table - inf->snapshot->tables] = section;
        if (section->tenant_from) {
            node->forced =
                tenant_from_resolve(inf->snapshot, inf->arena, table, section->tenant_from, inf->column, err);
            if (!node->forced)
                return tenant_at_section(err, inf->config, section, "tenant_from");
        }
    }
    return true;
}
