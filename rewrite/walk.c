/* The one place that knows where a Block keeps its expressions. */
#include "rewrite/walk.h"

static void visit_list(Expr *const *exprs, int n, WalkVisit *visit, void *arg) {
    for (int i = 0; i < n; i++) {
        if (exprs[i])
            visit(exprs[i], arg);
    }
}

static void visit_targets(const Target *targets, int n, WalkVisit *visit, void *arg) {
    for (int i = 0; i < n; i++) {
        if (targets[i].expr)
            visit(targets[i].expr, arg);
    }
}

static void visit_rows(const Block *block, WalkVisit *visit, void *arg) {
    for (int i = 0; i < block->nrows; i++) {
        for (int k = 0; k < block->rows[i].ncells; k++) {
            if (block->rows[i].cells[k].expr)
                visit(block->rows[i].cells[k].expr, arg);
        }
    }
}

void walk_own_exprs(const Block *block, WalkVisit *visit, void *arg) {
    Expr *const singles[] = {block->where,   block->having,         block->limit,
                             block->offset,  block->conflict_where, block->conflict_set_where,
                             block->merge_on};

    visit_targets(block->targets, block->ntargets, visit, arg);
    visit_rows(block, visit, arg);
    visit_list(singles, (int)ARRAY_LEN(singles), visit, arg);
    visit_list(block->group_by, block->ngroup_by, visit, arg);
    visit_list(block->distinct_on, block->ndistinct_on, visit, arg);
    visit_list(block->order_by, block->norder_by, visit, arg);
    visit_list(block->windows, block->nwindows, visit, arg);
    visit_list(block->conflict_target, block->nconflict_target, visit, arg);
    visit_targets(block->conflict_set, block->nconflict_set, visit, arg);
    visit_targets(block->returning, block->nreturning, visit, arg);
}

typedef struct Inside {
    const Walk *walk;
    const Block *block;
} Inside;

static void walk_one(const Expr *expr, void *arg) {
    const Inside *inside = arg;

    walk_expr(expr, inside->block, inside->walk);
}

void walk_expr(const Expr *expr, const Block *block, const Walk *walk) {
    if (!expr || (walk->expr && !walk->expr(expr, walk->arg)))
        return;
    for (int i = 0; i < expr->nargs; i++)
        walk_expr(expr->args[i], block, walk);
    walk_block(expr->block, walk);
}

static void walk_from(const FromItem *item, const Block *block, const Walk *walk) {
    if (!item || (walk->from && !walk->from(item, block, walk->arg)))
        return;
    walk_from(item->left, block, walk);
    walk_from(item->right, block, walk);
    walk_block(item->block, walk);
    for (int i = 0; i < item->nexprs; i++)
        walk_expr(item->exprs[i], block, walk);
    walk_expr(item->quals, block, walk);
}

void walk_inside(const Block *block, const Walk *walk) {
    Inside inside = {walk, block};

    for (int i = 0; i < block->nctes; i++)
        walk_block(block->ctes[i].block, walk);
    walk_from(block->target, block, walk);
    for (int i = 0; i < block->nfrom; i++)
        walk_from(block->from[i], block, walk);
    walk_own_exprs(block, walk_one, &inside);
    walk_block(block->left, walk);
    walk_block(block->right, walk);
    walk_block(block->source, walk);
    for (int i = 0; i < block->nmerge_actions; i++)
        walk_block(block->merge_actions[i], walk);
}

void walk_block(const Block *block, const Walk *walk) {
    if (!block || (walk->block && !walk->block(block, walk->arg)))
        return;
    walk_inside(block, walk);
}

void walk_statement(const Statement *stmt, const Walk *walk) {
    for (; stmt; stmt = stmt->inner) {
        walk_block(stmt->block, walk);
        for (int i = 0; i < stmt->nargs; i++)
            walk_expr(stmt->args[i], stmt->block, walk);
    }
}
