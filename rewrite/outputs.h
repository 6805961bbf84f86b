/* The columns that a query gives, or something in FROM: how many, their names, what stands behind each. */
#ifndef REWRITE_OUTPUTS_H
#define REWRITE_OUTPUTS_H

#include "rewrite/context.h"

typedef struct Output {
    const char *name;     /* NULL: the server makes one up */
    const Expr *expr;     /* its entry in the list; NULL where * gives it, or it is not a query's: */
    const FromItem *item; /* * : the item of FROM, or the target, whose column it is */
    const char *column;   /* what that item calls it */
} Output;

typedef struct Outputs {
    Output *columns;
    int n;
    bool known; /* false: there may be others, or in other places */
} Outputs;

/* Work that may be done for one question; the texts that could ask for more are nobody's. */
#define OUTPUTS_BUDGET 20000

/* Of SELECT, VALUES, a set operation, or RETURNING. */
Outputs outputs_of_block(Rewrite *rw, const Block *block, int *budget) MUST_USE;

/* Of an item in the FROM of `block`, or of its target, by the names that the block calls them by. */
Outputs outputs_of_item(Rewrite *rw, const Block *block, const FromItem *item, int *budget) MUST_USE;

/* The place of a column by its name; -1 if there is none, or more than one. */
int outputs_find(const Outputs *outputs, const char *name) MUST_USE;

/* The name that an entry of a SELECT list gives its column, as far as it follows from the entry alone: of a
 * column or a function, cast or not; NULL for others without an alias. */
const char *outputs_target_name(const Target *target) MUST_USE;

/* What the block calls an item: its alias or name; NULL without. */
const char *outputs_item_name(const FromItem *item) MUST_USE;

#endif
