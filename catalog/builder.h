/* Making a snapshot: the one way in, for every source.
 *
 * A source (server, dump, a unit test) adds tables, columns, keys and foreign keys in that order, then
 * snapshot_build resolves names, infers kinds and paths, freezes, and hands the snapshot over. */
#ifndef CATALOG_BUILDER_H
#define CATALOG_BUILDER_H

#include "catalog/snapshot.h"
#include "conf/config.h"

typedef struct SnapshotBuilder SnapshotBuilder;

SnapshotBuilder *snapshot_builder_new(void) MUST_USE;
void snapshot_builder_free(SnapshotBuilder *builder); /* abandons; NULL is permitted */
Arena *
snapshot_builder_arena(SnapshotBuilder *builder) MUST_USE; /* for strings that the snapshot will keep */
Snapshot *snapshot_builder_target(SnapshotBuilder *builder) MUST_USE; /* for the scalar fields */

/* Each returns an index or pointer that is valid until snapshot_build. Strings are copied. */
Table *snapshot_add_table(SnapshotBuilder *builder, const char *schema, const char *name, char relkind);
Column *snapshot_add_column(SnapshotBuilder *builder, Table *table, const char *name, const char *type,
                            const char *type_schema, const char *type_name);
MUST_USE bool snapshot_add_key(SnapshotBuilder *builder, Table *table, const char *name, bool primary,
                               bool constraint, bool partial_or_expression, const char *const *columns,
                               int ncolumns, Error *err);
/* The members of a ForeignKey of these names. */
typedef struct ForeignKeyRules {
    bool validated, deferrable;
    char on_delete, on_update;
} ForeignKeyRules;
MUST_USE bool snapshot_add_foreign_key(SnapshotBuilder *builder, Table *child, Table *parent,
                                       const char *name, const char *const *child_columns,
                                       const char *const *parent_columns, int ncolumns, ForeignKeyRules rules,
                                       Error *err);
/* Takes the child's foreign key of that name for validated, if `validated`; false if it has none. */
MUST_USE bool snapshot_trust_foreign_key(SnapshotBuilder *builder, const Table *child, const char *name,
                                         bool validated);
/* A row of shardferry.stage; `backfill`: the table had no tenant column when it was taken into the migration.
 */
void snapshot_add_stage(SnapshotBuilder *builder, Table *table, Stage stage, const char *tenant_column,
                        bool backfill);
/* Lets every backfill table that is not as far be in `stage`, and have the tenant column that it then has:
 * what would be once the migration has come there. */
void snapshot_assume_stage(SnapshotBuilder *builder, Stage stage);
void snapshot_add_schema(SnapshotBuilder *builder, const char *schema);
void snapshot_add_setting(SnapshotBuilder *builder, const char *role, const char *database, const char *name,
                          const char *value);
Table *snapshot_find_table(SnapshotBuilder *builder, const char *schema, const char *name) MUST_USE;

/* The table's column as added so far; NULL if there is none. */
Column *snapshot_find_column(SnapshotBuilder *builder, Table *table, const char *name) MUST_USE;
/* Its columns by index from 0; NULL behind the last. */
const Column *snapshot_column_at(SnapshotBuilder *builder, const Table *table, int index) MUST_USE;

/* Freezes: infers kinds and paths by the [tenant] and [table …] sections of `config`, which is read only
 * during the call. Consumes the builder also on failure. NULL with `err` if a section names what is not there
 * or is contradictory (the message names the section and the setting). */
Snapshot *snapshot_build(SnapshotBuilder *builder, const Config *config, Error *err) MUST_USE;

#endif
