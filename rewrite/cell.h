/* What may be done with a value in a VALUES row that is needed twice. */
#ifndef REWRITE_CELL_H
#define REWRITE_CELL_H

#include "rewrite/context.h"

typedef enum CellUse {
    CELL_DEFAULT, /* the word DEFAULT */
    CELL_COPY,    /* gives the same value as often as it stands in the statement */
    CELL_ONCE,    /* a scalar that must be computed once */
    CELL_LEAVE,   /* not even that is sure: several rows, or an error that is the server's to report */
} CellUse;

CellUse cell_use(const Rewrite *rw, const Expr *expr) MUST_USE;

/* Whether an expression's value is fixed by its text alone: literals, casts of them, arithmetic on them. */
bool cell_is_constant(const Rewrite *rw, const Expr *expr) MUST_USE;

#endif
