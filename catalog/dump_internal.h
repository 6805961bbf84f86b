/* What the files that read a dump share. */
#ifndef CATALOG_DUMP_INTERNAL_H
#define CATALOG_DUMP_INTERNAL_H

#include "catalog/builder.h"
#include "parser/ddl.h"

/* A key or foreign key, which is added when all tables are known. */
typedef struct PendingConstraint {
    Table *table;
    DdlConstraint def;
    bool constraint; /* false for a bare unique index */
    bool only;
    int line;
    const char *parent_schema; /* as it was resolved where it stood; NULL for keys */
} PendingConstraint;

typedef struct NamedType {
    const char *schema;
    const char *name;
} NamedType;

/* A dump being read. Arrays are on the heap. */
typedef struct DumpReader {
    SnapshotBuilder *builder;
    Arena *arena; /* the snapshot's */
    const char *file;
    const char **path; /* the search_path in force */
    int npath;
    const char *only_path; /* the one search_path that the text sets; "" after several different ones */
    Table **tables;
    int ntables, tables_capacity;
    PendingConstraint *constraints;
    int nconstraints, constraints_capacity;
    NamedType *types;
    int ntypes, types_capacity;
    int nwarnings;
    const char *first_warning;
    struct UsedName *used; /* names of constraints and indexes by schema, in the arena */
} DumpReader;

void dump_warn(DumpReader *reader, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A type as pg_type and format_type have it. */
typedef struct ResolvedType {
    const char *text, *schema, *name;
} ResolvedType;
ResolvedType dump_type(DumpReader *reader, const DdlType *type);

/* The name that PostgreSQL gives to an unnamed object: table_columns_label, cut to fit, made unique in the
 * schema with a number. `columns` may be empty. */
const char *dump_choose_name(DumpReader *reader, const char *schema, const char *table,
                             const char *const *columns, int ncolumns, const char *label) MUST_USE;
void dump_use_name(DumpReader *reader, const char *schema, const char *name);
/* table_column_seq, without making it unique. */
const char *dump_sequence_name(Arena *arena, const char *table, const char *column) MUST_USE;

/* Adds the keys and foreign keys that were put aside, partitions' copies included. */
void dump_add_constraints(DumpReader *reader);

#endif
