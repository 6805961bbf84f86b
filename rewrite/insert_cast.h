/* Types of values that stand in a FROM instead of being assigned. */
#ifndef REWRITE_INSERT_CAST_H
#define REWRITE_INSERT_CAST_H

#include "rewrite/context.h"

/* Whether a value for `column` must be cast to its type. `common`: it shares its column with values that may
 * have other types. */
bool insert_cast_needed(const Expr *expr, const Column *column, bool common) MUST_USE;

#endif
