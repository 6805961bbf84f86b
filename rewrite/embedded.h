/* Statements that are embedded in functions: what their variables' names mean beside columns, and what no
 * proxy can do for them. */
#ifndef REWRITE_EMBEDDED_H
#define REWRITE_EMBEDDED_H

#include "rewrite/decide.h"

/* A variable's unqualified name where a column of the same name can be seen, or a table's name that is a
 * variable's, too, where it qualifies a column. */
typedef struct EmbeddedClash {
    uint32_t offset; /* in the text */
    const char *name;
    int number;         /* of the variable; 0: the name qualifies a column */
    const Table *table; /* whose column it is; NULL: a sub-select's, a function's */
    bool late;          /* the column comes, or came, with the migration */
} EmbeddedClash;

typedef struct EmbeddedClashes {
    EmbeddedClash *clashes; /* in the arena */
    int n;
} EmbeddedClashes;

/* Of facts in which all variables are bound. */
EmbeddedClashes embedded_clashes(Arena *arena, Str text, const Facts *facts, const FactsVariable *variables,
                                 const Snapshot *snapshot, const SessionContext *context) MUST_USE;

/* The table under migration whose rows the statement may give another parent, by SET, and whose tenant it
 * does not set; NULL if there is none. */
const Table *embedded_moves(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                            const SessionContext *context) MUST_USE;

/* The tenant table whose key, without its tenant, the statement names in ON CONFLICT: the key will have the
 * tenant in it. NULL if there is none. */
const Table *embedded_names_key(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                                const SessionContext *context) MUST_USE;

/* The table under migration whose new column shows in what the statement gives, where it says *; NULL if
 * there is none. */
const Table *embedded_shows_column(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                                   const SessionContext *context) MUST_USE;

#endif
