/* What ddl.c and the files beside it share: collecting facts, reading statements and single nodes of
 * libpg_query's tree. */
#ifndef PARSER_DDL_INTERNAL_H
#define PARSER_DDL_INTERNAL_H

#include <pg_query/pg_query.pb-c.h>

#include "parser/ddl.h"

/* One statement being read. */
typedef struct DdlReader {
    Arena *arena;
    const char *text;          /* of the statement; NUL-terminated; locations in the tree count from here */
    PgQuery__ScanResult *scan; /* tokens, made when first asked for */
    int line;
} DdlReader;

/* What has been read so far. */
typedef struct DdlCollector {
    Arena *arena;
    DdlFact *facts; /* on the heap while it grows */
    int nfacts, facts_capacity;
    DdlWarning *warnings;
    int nwarnings, warnings_capacity;
} DdlCollector;

/* The result is valid until the next fact. */
DdlFact *ddl_add_fact(DdlCollector *c, DdlKind kind, int line);
void ddl_add_warning(DdlCollector *c, int line, const char *text); /* `text` is kept */
DdlFact *ddl_add_change(DdlCollector *c, int line, Name name, const char *what);

/* Statements: each adds its facts, if it has any. */
void ddl_read_create_table(DdlCollector *c, DdlReader *reader, const PgQuery__CreateStmt *stmt, char relkind);
void ddl_read_alter_table(DdlCollector *c, DdlReader *reader, const PgQuery__AlterTableStmt *stmt);
void ddl_read_set(DdlCollector *c, DdlReader *reader, const PgQuery__VariableSetStmt *stmt);
/* ALTER ROLE `role` IN DATABASE `database` SET; NULL or "" for all. */
void ddl_read_setting(DdlCollector *c, DdlReader *reader, const PgQuery__VariableSetStmt *stmt,
                      const char *role, const char *database);
/* SELECT [pg_catalog.]set_config('search_path', 'value', false) */
void ddl_read_set_config(DdlCollector *c, DdlReader *reader, const PgQuery__SelectStmt *stmt);
bool ddl_is_temporary(const PgQuery__RangeVar *var) MUST_USE;

/* A copy in the arena; NULL for "" and NULL, which protobuf does not tell apart. */
const char *ddl_string(Arena *arena, const char *s) MUST_USE;
const char *ddl_string_of(Arena *arena, const PgQuery__Node *node) MUST_USE; /* of a String node; else NULL */
Name ddl_name_of(Arena *arena, const PgQuery__RangeVar *var);
Name ddl_name_of_list(Arena *arena, PgQuery__Node *const *nodes, size_t n); /* catalog.schema.name */
const char **ddl_strings(Arena *arena, PgQuery__Node *const *nodes, size_t n) MUST_USE;

/* Slices of the statement's text. */
/* The expression that follows the DEFAULT at byte `location`. */
const char *ddl_default_text(DdlReader *reader, int location) MUST_USE;
/* The expression of the nth (from 0) SET DEFAULT of an ALTER TABLE. */
const char *ddl_set_default_text(DdlReader *reader, int nth) MUST_USE;
/* What follows the AS of CREATE VIEW; `tail` words of tokens at the end ("WITH NO DATA": 3) are left out. */
const char *ddl_view_text(DdlReader *reader, bool has_with_tail) MUST_USE;
void ddl_reader_free(DdlReader *reader);

DdlColumn ddl_column_of(DdlReader *reader, const PgQuery__ColumnDef *def);
/* Keys and foreign keys; false for a constraint that is neither. `column`: the column that it stands at. */
MUST_USE bool ddl_constraint_of(DdlReader *reader, const PgQuery__Constraint *node, const char *column,
                                DdlConstraint *constraint);
DdlConstraint ddl_index_of(DdlReader *reader, const PgQuery__IndexStmt *stmt);

#endif
