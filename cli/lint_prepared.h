/* Statements that a session has prepared by SQL, and what was found out about each: what an EXECUTE does is
 * said by the PREPARE alone. */
#ifndef CLI_LINT_PREPARED_H
#define CLI_LINT_PREPARED_H

#include "base/arena.h"
#include "base/str.h"
#include "parser/facts.h"
#include "rewrite/decide.h"

typedef struct LintPreparedEntry LintPreparedEntry; /* a table is a pointer to one; NULL while it is empty */

typedef struct LintPrepared {
    Str text; /* the PREPARE, without semicolon; the table's, NUL-terminated */
    /* Kept for whoever judges it; empty before: */
    Arena *arena;                      /* freed with the entry; the rest lives in it */
    Str context;                       /* under which it was judged: see lint_session_key */
    const Statement *statement;        /* the PREPARE */
    const StatementDecision *decision; /* on it */
} LintPrepared;

/* Keeps copies. A name that the table has already keeps its statement: the server would not take another. */
void lint_prepared_add(LintPreparedEntry **table, const char *name, Str text);
/* NULL: it has none of this name. Valid until that is removed. */
LintPrepared *lint_prepared_find(LintPreparedEntry *table, const char *name) MUST_USE;
void lint_prepared_remove(LintPreparedEntry **table, const char *name);
void lint_prepared_clear(LintPreparedEntry **table);

#endif
