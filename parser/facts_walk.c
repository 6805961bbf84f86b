/* Walks over facts: all expressions of a block, all blocks of a statement. */
#include "parser/facts.h"

/* What a walk does: `expr` is called for each expression, `block` for each block that stands in the walked
 * one. */
typedef struct Walk {
    FactsVisitExpr *expr;
    FactsVisit *block;
    void *arg;
} Walk;

static void walk_expr(const Walk *w, const Expr *expr) {
    if (!expr)
        return;
    if (w->expr)
        w->expr(expr, w->arg);
    for (int i = 0; i < expr->nargs; i++)
        walk_expr(w, expr->args[i]);
    if (expr->block && w->block)
        w->block(expr->block, w->arg);
}

static void walk_exprs(const Walk *w, Expr *const *exprs, int n) {
    for (int i = 0; i < n; i++)
        walk_expr(w, exprs[i]);
}

static void walk_targets(const Walk *w, const Target *targets, int n) {
    for (int i = 0; i < n; i++)
        walk_expr(w, targets[i].expr);
}

static void walk_from(const Walk *w, const FromItem *item) {
    if (!item)
        return;
    if (item->block && w->block)
        w->block(item->block, w->arg);
    walk_exprs(w, item->exprs, item->nexprs);
    walk_from(w, item->left);
    walk_from(w, item->right);
    walk_expr(w, item->quals);
}

static void walk_rows(const Walk *w, const Block *block) {
    for (int i = 0; i < block->nrows; i++)
        for (int k = 0; k < block->rows[i].ncells; k++)
            walk_expr(w, block->rows[i].cells[k].expr);
}

static void walk_child(const Walk *w, const Block *child) {
    if (child && w->block)
        w->block(child, w->arg);
}

/* In the order of the text, but for the select list, which comes behind FROM as in its evaluation. */
static void walk_block(const Walk *w, const Block *block) {
    for (int i = 0; i < block->nctes; i++)
        walk_child(w, block->ctes[i].block);
    walk_child(w, block->left);
    walk_child(w, block->right);
    for (int i = 0; i < block->nfrom; i++)
        walk_from(w, block->from[i]);
    walk_expr(w, block->merge_on);
    walk_targets(w, block->targets, block->ntargets);
    walk_rows(w, block);
    walk_child(w, block->source);
    walk_expr(w, block->where);
    walk_exprs(w, block->group_by, block->ngroup_by);
    walk_expr(w, block->having);
    walk_exprs(w, block->distinct_on, block->ndistinct_on);
    walk_exprs(w, block->windows, block->nwindows);
    walk_exprs(w, block->order_by, block->norder_by);
    walk_expr(w, block->limit);
    walk_expr(w, block->offset);
    walk_exprs(w, block->conflict_target, block->nconflict_target);
    walk_expr(w, block->conflict_where);
    walk_targets(w, block->conflict_set, block->nconflict_set);
    walk_expr(w, block->conflict_set_where);
    for (int i = 0; i < block->nmerge_actions; i++)
        walk_child(w, block->merge_actions[i]);
    walk_targets(w, block->returning, block->nreturning);
}

void facts_walk_exprs(const Block *block, FactsVisitExpr *visit, void *arg) {
    const Walk walk = {visit, NULL, arg};

    walk_block(&walk, block);
}

typedef struct BlockWalk {
    FactsVisit *visit;
    void *arg;
} BlockWalk;

static void visit_block(const Block *block, void *arg) {
    const BlockWalk *blocks = arg;
    const Walk walk = {NULL, visit_block, arg};

    blocks->visit(block, blocks->arg);
    walk_block(&walk, block);
}

void facts_walk_blocks(const Statement *stmt, FactsVisit *visit, void *arg) {
    BlockWalk blocks = {visit, arg};
    const Walk walk = {NULL, visit_block, &blocks};

    for (; stmt; stmt = stmt->inner) {
        walk_child(&walk, stmt->block);
        walk_exprs(&walk, stmt->args, stmt->nargs);
        walk_expr(&walk, stmt->copy.where);
    }
}
