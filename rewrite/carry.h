/* The children's tenant is their parent's: where the one is set, the others are, too. */
#ifndef REWRITE_CARRY_H
#define REWRITE_CARRY_H

#include "rewrite/set.h"

/* What the tenant of the rows becomes. */
typedef struct CarryValue {
    Span copy; /* an expression of the text; if empty: */
    void (*put)(Rewrite *rw, uint32_t offset, const void *arg);
    const void *arg;
    const Expr **exprs; /* what it depends on */
    int nexprs;
} CarryValue;

/* Whether rows of tables under migration have their tenant from rows of `table`. */
bool carry_needed(Rewrite *rw, const Table *table) MUST_USE;

/* Why the children of the rows that this UPDATE sets cannot be carried along; NULL if they can. */
const char *carry_problem(Rewrite *rw, const SetList *set, const Table *table,
                          const CarryValue *value) MUST_USE;

/* Carries the children, at all levels, along in the same statement. To be called when the edits of SET are
 * recorded. */
void carry_edit(Rewrite *rw, const SetList *set, const Table *table, const CarryValue *value);

/* They are not carried along, and why: a note where a foreign key holds the pair and will report it, or
 * where in stage derive the backfill will find it; else the statement is refused. */
void carry_leave(Rewrite *rw, const Table *table, const char *why);

#endif
