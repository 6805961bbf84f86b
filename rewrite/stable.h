/* May an expression that reads rows be evaluated twice in one statement? */
#ifndef REWRITE_STABLE_H
#define REWRITE_STABLE_H

#include "rewrite/context.h"

/* Whether a second evaluation, for the same row and snapshot, gives the same value and does nothing else.
 * `block` is the one that the expression stands in. NULL is stable. */
bool stable_expr(const Rewrite *rw, const Expr *expr, const Block *block) MUST_USE;

/* The same for what stands in the FROM of an UPDATE, or the USING of a MERGE. */
bool stable_from(const Rewrite *rw, const Block *block) MUST_USE;

/* Whether no part of the statement writes a table on the way to this one's tenant: all parts see the tables
 * as they were before it. */
bool stable_parents(const Rewrite *rw, const Table *table) MUST_USE;

/* Whether the expression is a call of a function that is known not to be immutable, of those that are likely
 * in a statement: Citus finds the others. */
bool stable_mutable(const Rewrite *rw, const Expr *expr) MUST_USE;

#endif
