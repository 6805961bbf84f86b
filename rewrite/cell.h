/* What may be done with a value in a VALUES row that is needed twice, or ahead of the statement. */
#ifndef REWRITE_CELL_H
#define REWRITE_CELL_H

#include "rewrite/context.h"

typedef enum CellUse {
    CELL_DEFAULT, /* the word DEFAULT */
    CELL_COPY,    /* gives the same value as often as it stands in the statement */
    CELL_ONCE,    /* a scalar that must be computed once */
    CELL_UNKNOWN, /* the same, but a function in it may return a set */
    CELL_SET,     /* several rows */
    CELL_LEAVE,   /* not even that is sure: an error that is the server's to report */
} CellUse;

CellUse cell_use(const Rewrite *rw, const Expr *expr) MUST_USE;

/* Hardly a key's type: the error, if it is one, is to be the assignment's, not a cast's. */
bool cell_fits_no_key(const Expr *expr) MUST_USE;

/* Whether an expression's value is fixed by its text alone: literals, casts of them, arithmetic on them. */
bool cell_is_constant(const Rewrite *rw, const Expr *expr) MUST_USE;

/* Whether the same expression gives the same value when it is evaluated just before the statement, in its
 * transaction. What reads a sequence does so only while the statement moves none; `reads_sequence` is set for
 * those. */
bool cell_is_foreseeable(const Rewrite *rw, const Expr *expr, bool *reads_sequence) MUST_USE;

/* Whether a sub-select stands in the expression; `from_tables`: one that reads a table or a CTE. */
bool cell_has_sublink(const Expr *expr, bool *from_tables) MUST_USE;

#endif
