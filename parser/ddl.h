/* What a schema file defines: SQL text → facts about tables, in the order of the text.
 *
 * Reads what pg_dump --schema-only writes and what people write by hand: psql's backslash lines and COPY data
 * are stepped over, a statement that the parser rejects is a warning and no more. Only what a catalog
 * snapshot holds is looked at. Names are folded and unresolved, as in parser/facts.h. Everything lives in the
 * arena. */
#ifndef PARSER_DDL_H
#define PARSER_DDL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "parser/facts.h"

typedef enum DdlKind {
    DDL_SCHEMA,         /* name.name */
    DDL_TYPE,           /* name: CREATE TYPE, CREATE DOMAIN */
    DDL_TABLE,          /* name, relkind, columns, constraints, parents, is_partition, if_not_exists */
    DDL_ADD_COLUMN,     /* name; columns[0], constraints that came with it; if_not_exists */
    DDL_ADD_CONSTRAINT, /* name; constraints[0] */
    DDL_UNIQUE_INDEX,   /* name; constraints[0] */
    DDL_SET_DEFAULT,    /* name, column, text; NULL text: DROP DEFAULT */
    DDL_SET_NOT_NULL,   /* name, column, on */
    DDL_SET_IDENTITY,   /* name, column, identity; '\0': DROP IDENTITY */
    DDL_ATTACH,         /* name: the partitioned table; parents[0]: the partition */
    DDL_VALIDATE,       /* name, column: the constraint's name */
    DDL_VIEW,           /* name, relkind, text: the query */
    DDL_SEARCH_PATH,    /* text: as SHOW would print it; NULL for DEFAULT */
    DDL_SETTING, /* of a role or database: role, database (either may be NULL), column: its name, text */
    DDL_CHANGE, /* name: a change that is not followed (DROP COLUMN, RENAME, DROP TABLE …): text says what */
} DdlKind;

typedef struct DdlType {
    Name name;            /* pg_catalog.int8 for bigint; as written for others */
    const char *modifier; /* "10,2" of numeric(10,2); NULL without */
    bool array;
} DdlType;

typedef struct DdlColumn {
    const char *name;
    DdlType type;
    bool serial; /* made by serial, bigserial, smallserial: type is the integer, not_null is set */
    bool not_null;
    const char *default_text; /* slice of the text; NULL without, also for serial */
    char identity;            /* as Column.identity */
    bool generated;
} DdlColumn;

typedef enum DdlConstraintKind { DDL_PRIMARY_KEY, DDL_UNIQUE, DDL_FOREIGN_KEY } DdlConstraintKind;

typedef struct DdlConstraint {
    DdlConstraintKind kind;
    const char *name;     /* NULL: PostgreSQL chooses one */
    const char **columns; /* NULL for an expression in a unique index */
    int ncolumns;
    const char *using_index; /* ADD CONSTRAINT … USING INDEX; then no columns */
    bool partial_or_expression;
    Name parent; /* FOREIGN KEY */
    const char **parent_columns;
    int nparent_columns; /* 0: the parent's primary key */
    bool not_valid;
    char on_delete; /* as pg_constraint.confdeltype */
    char on_update;
} DdlConstraint;

typedef struct DdlFact {
    DdlKind kind;
    int line; /* of the statement's first token, from 1 */
    Name name;
    char relkind; /* as pg_class.relkind */
    bool if_not_exists;
    bool only; /* ALTER TABLE ONLY: partitions are not meant */
    bool on;
    bool is_partition; /* TABLE … PARTITION OF parents[0]; else parents are of INHERITS */
    DdlColumn *columns;
    int ncolumns;
    DdlConstraint *constraints;
    int nconstraints;
    Name *parents;
    int nparents;
    const char *column;
    const char *text;
    const char *role, *database;
    char identity;
} DdlFact;

typedef struct DdlWarning {
    int line;
    const char *text;
} DdlWarning;

typedef struct Ddl {
    DdlFact *facts;
    int nfacts;
    DdlWarning *warnings;
    int nwarnings;
} Ddl;

/* Never fails: what it does not understand is in the warnings. Keeps no pointer into `text`. Call from a
 * thread with FACTS_STACK_BYTES of stack if the text is not to be trusted; statements nested deeper than
 * FACTS_DEFAULT_MAX_DEPTH are not parsed. */
const Ddl *ddl_parse(Arena *arena, Str text) MUST_USE;

/* One statement of a script, without its semicolon. */
typedef struct DdlStatement {
    Str text; /* from its first token; comments and white space before it are left out */
    int line;
} DdlStatement;

typedef struct DdlSplitter {
    Str rest;
    int line;
} DdlSplitter;

/* Finds the next statement of a script as psql would: quotes, comments, parentheses and BEGIN ATOMIC bodies
 * hold a statement together; backslash commands and the data of COPY … FROM stdin are stepped over. False at
 * the end. Start with {text, 1}. */
bool ddl_next_statement(DdlSplitter *splitter, DdlStatement *statement) MUST_USE;

#endif
