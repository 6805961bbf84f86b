/* Walking over a statement: every expression and every block, sub-selects and CTEs included. */
#ifndef REWRITE_WALK_H
#define REWRITE_WALK_H

#include "parser/facts.h"

/* Called before what lies inside; a callback that returns false has it stepped over. Either may be NULL. */
typedef struct Walk {
    bool (*block)(const Block *block, void *arg);
    bool (*expr)(const Expr *expr, void *arg);
    /* FROM items of all kinds, and the target of a write; `block` is the one that it stands in. */
    bool (*from)(const FromItem *item, const Block *block, void *arg);
    void *arg;
} Walk;

/* The statement's own blocks and expressions, and those of its `inner`. */
void walk_statement(const Statement *stmt, const Walk *walk);
void walk_block(const Block *block, const Walk *walk);
/* `block` is the one that the expression stands in. */
void walk_expr(const Expr *expr, const Block *block, const Walk *walk);
/* What stands in the block itself (its expressions, FROM items, arms, source and CTEs): walk_block without
 * the call for the block. */
void walk_inside(const Block *block, const Walk *walk);

/* Calls `visit` for each expression that stands directly in the block: SELECT list, WHERE, HAVING, SET,
 * VALUES, RETURNING and so on, but nothing of FROM, of CTEs, or of sub-selects. */
typedef void WalkVisit(const Expr *expr, void *arg);
void walk_own_exprs(const Block *block, WalkVisit *visit, void *arg);

#endif
