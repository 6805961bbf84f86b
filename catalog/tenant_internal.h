/* What the inference of kinds shares with its reading of the configuration. */
#ifndef CATALOG_TENANT_INTERNAL_H
#define CATALOG_TENANT_INTERNAL_H

#include "catalog/internal.h"

typedef struct TenantInference {
    Snapshot *snapshot;
    Arena *arena;
    const Config *config;
    PathNode *nodes;
    const TableConfig **sections; /* per table; NULL without one */
    Table *tenant_table;
    const Column *key;  /* the tenant table's tenant column: its type is the tenant's type */
    const char *column; /* the tenant column's name in all other tables */
} TenantInference;

/* Finds the tenant table, its key and the tenant column's name. Leaves tenant_table NULL, with a warning in
 * the snapshot, where there is none to be found: a database in which the application has not made its tables
 * yet is no error. */
MUST_USE bool tenant_find_table(TenantInference *inf, Error *err);
/* Gives each table its [table] section, and its node the step that tenant_from prescribes. */
MUST_USE bool tenant_attach_sections(TenantInference *inf, Error *err);
/* Puts the place in the file before the message: "FILE:LINE: [table NAME]: SETTING: "; returns false. */
bool tenant_at_section(Error *err, const Config *config, const TableConfig *section, const char *setting);

static inline bool tenant_is_table(const Table *table) {
    return table->relkind == 'r' || table->relkind == 'p';
}

#endif
