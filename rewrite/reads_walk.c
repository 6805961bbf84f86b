/* From block to block: each with its FROM, its condition, and the sub-selects in it. */
#include "rewrite/reads_walk.h"

#include <string.h>

#include "rewrite/outputs.h"
#include "rewrite/walk.h"

/* ---- sub-selects of expressions ---- */

typedef struct Inside {
    ReadsWalk *w;
    const ReadsEnv *env;
} Inside;

static bool on_expr(const Expr *expr, void *arg) {
    const Inside *inside = arg;

    if (expr->kind != EXPR_SUBLINK)
        return !inside->w->gave_up;
    for (int i = 0; i < expr->nargs; i++)
        reads_sublinks(inside->w, inside->env, expr->args[i]);
    if (expr->block) {
        ReadsColumns columns = {0};

        reads_block(inside->w, expr->block, inside->env, &columns, NULL);
    }
    return false;
}

void reads_sublinks(ReadsWalk *w, const ReadsEnv *env, const Expr *expr) {
    Inside inside = {w, env};

    walk_expr(expr, NULL, &(Walk){.expr = on_expr, .arg = &inside});
}

void reads_true_sublinks(ReadsWalk *w, const ReadsEnv *env, const Expr *condition, const ReadsFacts *facts,
                         int from) {
    const ReadsIn in = {condition, env, facts, from};

    if (!condition || w->gave_up)
        return;
    for (int i = 0; i < condition->nargs && condition->kind == EXPR_AND; i++)
        reads_true_sublinks(w, env, condition->args[i], facts, from);
    if (condition->kind == EXPR_AND)
        return;
    w->in = reads_is_in(w, condition) ? &in : NULL;
    reads_sublinks(w, env, condition);
}

static void list_sublinks(ReadsWalk *w, const ReadsEnv *env, Expr *const *exprs, int n) {
    for (int i = 0; i < n; i++)
        reads_sublinks(w, env, exprs[i]);
}

static void target_sublinks(ReadsWalk *w, const ReadsEnv *env, const Target *targets, int n) {
    for (int i = 0; i < n; i++)
        reads_sublinks(w, env, targets[i].expr);
}

/* ---- columns ---- */

/* With the tenant column that `*` will not show, or merged columns, it is not known what stands where. */
static void star(ReadsWalk *w, const ReadsSpace *space, const Expr *expr, ReadsColumns *columns) {
    bool whole = !expr->name.name;

    columns->open |= whole && space->merged.n > 0;
    for (int i = 0; i < space->nitems; i++) {
        const ReadsItem *item = &space->items[i];

        if (!whole && strcmp(item->name, expr->name.name) != 0)
            continue;
        columns->open |= item->columns->open;
        for (int k = 0; k < item->columns->n; k++) {
            ReadsColumn column = item->columns->all[k];
            bool hidden = column.row && column.row->table && column.row->table->hide_tenant &&
                          column.cell == reads_tenant_cell(column.row);

            columns->open |= hidden;
            if (!hidden)
                reads_add_column(w, columns, column);
        }
    }
}

/* Of columns of the blocks around this one nothing is said: those rows are not this block's. */
static void output_columns(ReadsWalk *w, const ReadsSpace *space, const Block *block, ReadsColumns *columns) {
    const ReadsEnv env = {.space = space};

    for (int i = 0; i < block->ntargets; i++) {
        const Target *target = &block->targets[i];
        ReadsColumn column = {NULL, NULL, READS_NO_CELL};

        if (target->expr && target->expr->kind == EXPR_STAR) {
            star(w, space, target->expr, columns);
            continue;
        }
        if (target->expr && target->expr->kind == EXPR_COLUMN &&
            !reads_resolve(w, &env, target->expr, &column))
            column = (ReadsColumn){NULL, NULL, READS_NO_CELL};
        column.name = outputs_target_name(target);
        if (block->group_distinct_or_sets) /* some of them are NULL then */
            column = (ReadsColumn){column.name, NULL, READS_NO_CELL};
        reads_add_column(w, columns, column);
    }
    for (int i = 0; i < columns->n && block->group_distinct_or_sets; i++)
        columns->all[i] = (ReadsColumn){columns->all[i].name, NULL, READS_NO_CELL};
}

/* ---- blocks ---- */

/* The target, FROM and the condition. */
static void fill(ReadsWalk *w, const Block *block, const ReadsEnv *outer, ReadsSpace *space,
                 ReadsFacts *facts, int first_cell) {
    const bool is_merge = block->kind == BLOCK_MERGE;
    const ReadsEnv env = {.space = space, .outer = outer};
    const Expr *condition = is_merge ? block->merge_on : block->where;
    ReadsPlace *place = is_merge ? reads_new_place(w, block->merge_on_span, 0, condition)
                                 : reads_new_place(w, block->where_span, block->where_place, condition);
    /* A row of MERGE's that a filter hides would count as missing. */
    ReadsPlace *filter = is_merge ? NULL : place;
    const ReadsFrom target = {NULL, outer, first_cell, facts}, from = {block, outer, first_cell, facts};
    int n;

    if (block->target)
        reads_item(w, &target, block->target, outer, filter, space);
    for (int i = 0; i < block->nfrom; i++)
        reads_item(w, &from, block->from[i], &env, filter, space);
    reads_take_facts(w, &env, condition, facts);
    reads_join(w, place, &env, facts, 0, first_cell);
    reads_name_filters(w, place, &env);
    n = facts->n;
    if (block->ngroup_by > 0 && !block->group_distinct_or_sets)
        reads_take_facts(w, &env, block->having, facts);
    reads_note_values(w, facts, 0, (Cells){first_cell, w->ncells});
    facts->n = n;
    reads_true_sublinks(w, &env, condition, facts, 0);
}

static void select_block(ReadsWalk *w, const Block *block, const ReadsEnv *outer, ReadsColumns *columns,
                         ReadsFacts *around) {
    ReadsSpace space = {0};
    ReadsFacts facts = {0};
    const ReadsEnv env = {.space = &space, .outer = outer, .grouped = block->ngroup_by > 0 ? block : NULL};
    const ReadsIn *in = w->in && w->in->expr->block == block ? w->in : NULL;

    w->in = NULL;
    fill(w, block, outer, &space, &facts, w->ncells);
    if (in)
        reads_in(w, in, &space, &facts);
    target_sublinks(w, &env, block->targets, block->ntargets);
    list_sublinks(w, &env, block->group_by, block->ngroup_by);
    list_sublinks(w, &env, block->distinct_on, block->ndistinct_on);
    list_sublinks(w, &env, block->order_by, block->norder_by);
    list_sublinks(w, &env, block->windows, block->nwindows);
    reads_sublinks(w, &env, block->having);
    reads_sublinks(w, outer, block->limit);
    reads_sublinks(w, outer, block->offset);
    output_columns(w, &space, block, columns);
    /* They hold of the rows that are put out: of each group there is one that has its columns. */
    for (int i = 0; around && i < facts.n && !block->group_distinct_or_sets; i++)
        reads_add_fact(w, around, facts.all[i]);
}

/* Its rows are of several tables; a value that a column has is one that the column of each arm has. */
static void setop_block(ReadsWalk *w, const Block *block, const ReadsEnv *outer, ReadsColumns *columns) {
    ReadsColumns left = {0}, right = {0};
    const ReadsRow *row;

    reads_block(w, block->left, outer, &left, NULL);
    reads_block(w, block->right, outer, &right, NULL);
    columns->open = left.open || right.open;
    row = reads_new_row(w, NULL, left.n);
    for (int i = 0; i < left.n && !w->gave_up; i++) {
        reads_add_column(w, columns, (ReadsColumn){left.all[i].name, row, row->base + i});
        if (columns->open)
            continue;
        reads_imply(w, row->base + i, left.all[i].cell);
        reads_imply(w, row->base + i, i < right.n ? right.all[i].cell : READS_NO_CELL);
    }
    list_sublinks(w, outer, block->order_by, block->norder_by);
    reads_sublinks(w, outer, block->limit);
    reads_sublinks(w, outer, block->offset);
}

static void values_block(ReadsWalk *w, const Block *block, const ReadsEnv *outer, ReadsColumns *columns) {
    for (int row = 0; row < block->nrows; row++) {
        for (int i = 0; i < block->rows[row].ncells; i++)
            reads_sublinks(w, outer, block->rows[row].cells[i].expr);
    }
    for (int i = 0; block->nrows > 0 && i < block->rows[0].ncells; i++)
        reads_add_column(w, columns,
                         (ReadsColumn){arena_printf(w->rw->arena, "column%d", i + 1), NULL, READS_NO_CELL});
}

/* What a write returns, and an action of ON CONFLICT or MERGE, is of rows as they become. */
static void write_block(ReadsWalk *w, const Block *block, const ReadsEnv *outer) {
    static const ReadsSpace nothing;
    const ReadsEnv changed = {.space = &nothing, .unknown = true};
    ReadsSpace space = {0};
    ReadsFacts facts = {0};
    const ReadsEnv env = {.space = &space, .outer = outer};
    ReadsColumns source = {0};

    if (block->kind == BLOCK_INSERT) {
        if (block->source)
            reads_block(w, block->source, outer, &source, NULL);
        values_block(w, block, outer, &source);
    } else {
        fill(w, block, outer, &space, &facts, w->ncells);
        target_sublinks(w, &env, block->targets, block->ntargets);
    }
    target_sublinks(w, &changed, block->conflict_set, block->nconflict_set);
    reads_sublinks(w, &changed, block->conflict_set_where);
    target_sublinks(w, &changed, block->returning, block->nreturning);
    for (int i = 0; i < block->nmerge_actions; i++) {
        const Block *action = block->merge_actions[i];

        reads_sublinks(w, &changed, action->where);
        target_sublinks(w, &changed, action->targets, action->ntargets);
        values_block(w, action, &changed, &source);
    }
}

/* One that reads itself is not known before it is walked over: what it reads of itself is not looked into. */
static void ctes(ReadsWalk *w, const Block *block, const ReadsEnv *outer) {
    for (int i = 0; i < block->nctes; i++) {
        ReadsColumns *columns = ARENA_NEW(w->rw->arena, ReadsColumns);

        reads_block(w, block->ctes[i].block, outer, columns, NULL);
        w->ctes = reads_grow(w, w->ctes, w->nctes, &w->cte_capacity, sizeof(ReadsCte));
        w->ctes[w->nctes++] = (ReadsCte){&block->ctes[i], columns};
    }
}

void reads_block(ReadsWalk *w, const Block *block, const ReadsEnv *outer, ReadsColumns *columns,
                 ReadsFacts *facts) {
    reads_count(w, 1);
    if (!block || w->gave_up)
        return;
    ctes(w, block, outer);
    switch (block->kind) {
    case BLOCK_SELECT:
        select_block(w, block, outer, columns, facts);
        break;
    case BLOCK_SETOP:
        setop_block(w, block, outer, columns);
        break;
    case BLOCK_VALUES:
        values_block(w, block, outer, columns);
        break;
    default:
        columns->open = true;
        write_block(w, block, outer);
        break;
    }
}

void reads_walk(ReadsWalk *w, const Statement *stmt) {
    for (; stmt && !w->gave_up; stmt = stmt->inner) {
        ReadsColumns columns = {0};

        reads_block(w, stmt->block, NULL, &columns, NULL);
    }
}
