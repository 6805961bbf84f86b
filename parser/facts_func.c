/* Function calls: aggregates, window functions, and the functions that SQL spells as keywords. */
#include "parser/facts_internal.h"

/* Adds all expressions of a window to those of its block. */
static void add_to_block(Convert *c, Block *block, Expr **exprs, int n) {
    for (int i = 0; i < n; i++) {
        block->windows = facts_grow(c, block->windows, block->nwindows, sizeof(*block->windows));
        block->windows[block->nwindows++] = exprs[i];
    }
}

static void add_bound(Convert *c, Block *block, const Node *bound) {
    Expr *expr = facts_expr(c, block, bound);

    if (expr)
        add_to_block(c, block, &expr, 1);
}

/* The window's expressions go to the block's, if there is a block: a CALL has none. */
const Window *facts_window(Convert *c, Block *block, const PgQuery__WindowDef *def) {
    Window *window = ARENA_NEW(c->arena, Window);

    window->name = facts_string(c, def->name);
    window->base = facts_string(c, def->refname);
    window->partition = facts_exprs(c, block, def->partition_clause, def->n_partition_clause);
    window->npartition = (int)def->n_partition_clause;
    window->order = facts_exprs(c, block, def->order_clause, def->n_order_clause);
    window->norder = (int)def->n_order_clause;
    if (!block)
        return window;
    add_to_block(c, block, window->partition, window->npartition);
    add_to_block(c, block, window->order, window->norder);
    add_bound(c, block, def->start_offset);
    add_bound(c, block, def->end_offset);
    return window;
}

Expr *facts_func_call(Convert *c, Block *block, const PgQuery__FuncCall *call) {
    size_t n = 0, nargs = call->n_args + call->n_agg_order + (call->agg_filter ? 1 : 0);
    Expr *expr = facts_new_expr(c, EXPR_FUNC, call->location, nargs);

    expr->name = facts_name(c, call->funcname, call->n_funcname);
    for (size_t i = 0; i < call->n_args; i++)
        expr->args[n++] = facts_expr(c, block, call->args[i]);
    for (size_t i = 0; i < call->n_agg_order; i++)
        expr->args[n++] = facts_expr(c, block, call->agg_order[i]);
    if (call->agg_filter)
        expr->args[n] = facts_expr(c, block, call->agg_filter);
    expr->ncall_args = (int)call->n_args;
    expr->agg_star = call->agg_star;
    expr->agg_distinct = call->agg_distinct;
    if (call->over) {
        expr->is_window = true;
        expr->window = facts_window(c, block, call->over);
    }
    facts_config_call(c, expr);
    return expr;
}

/* CURRENT_DATE and its like: functions that take no parentheses. */
Expr *facts_value_function(Convert *c, const PgQuery__SQLValueFunction *f) {
    static const char *const names[] = {NULL,
                                        "current_date",
                                        "current_time",
                                        "current_time",
                                        "current_timestamp",
                                        "current_timestamp",
                                        "localtime",
                                        "localtime",
                                        "localtimestamp",
                                        "localtimestamp",
                                        "current_role",
                                        "current_user",
                                        "user",
                                        "session_user",
                                        "current_catalog",
                                        "current_schema"};
    Expr *expr = facts_new_expr(c, EXPR_FUNC, f->location, 0);

    if ((size_t)f->op < ARRAY_LEN(names))
        expr->name.name = names[f->op];
    return expr;
}
