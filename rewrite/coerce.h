/* The length and precision of a column, enforced in an expression. */
#ifndef REWRITE_COERCE_H
#define REWRITE_COERCE_H

#include "base/arena.h"
#include "catalog/snapshot.h"

/* What stands before and behind an expression to make it what an assignment to the column would, errors
 * included. */
typedef struct Coerce {
    const char *head; /* NULL: the column has neither length nor precision, nothing is to be done */
    const char *tail;
} Coerce;

Coerce coerce_to_column(Arena *arena, const Column *column) MUST_USE;

#endif
