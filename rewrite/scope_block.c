/* What PostgreSQL's planner does with a sub-select, seen from its text. */
#include "rewrite/scope_level.h"

#include <string.h>

#include "rewrite/functions.h"
#include "rewrite/walk.h"

typedef struct Look {
    const Names *names;
    bool plain; /* scalar functions alone, none volatile */
} Look;

static bool look(const Expr *expr, void *arg) {
    Look *state = arg;

    if (expr->kind == EXPR_FUNC) {
        bool scalar = expr->name.name && names_in_catalog(state->names, &expr->name) &&
                      function_kind(expr->name.name) == FUNCTION_SCALAR;

        state->plain &= scalar && !expr->is_window;
    }
    /* grouping() and the like. */
    return expr->kind != EXPR_SUBLINK;
}

static bool all_plain(const Names *names, const Target *targets, int n) {
    Look state = {names, true};

    for (int i = 0; i < n && state.plain; i++)
        walk_expr(targets[i].expr, NULL, &(Walk){.expr = look, .arg = &state});
    return state.plain;
}

static bool is_bare(const Block *block) {
    return block->kind == BLOCK_SELECT && block->nctes == 0 && block->ngroup_by == 0 &&
           !block->group_distinct_or_sets && !block->having && block->nwindows == 0 &&
           block->nnamed_windows == 0 && !block->locking && !block->offset;
}

bool scope_is_simple(const Names *names, const Block *block) {
    return is_bare(block) && !block->distinct && block->norder_by == 0 && !block->limit &&
           all_plain(names, block->targets, block->ntargets);
}

static bool look_for_volatile(const Expr *expr, void *arg) {
    Look *state = arg;

    if (expr->kind == EXPR_FUNC) {
        FunctionKind kind = expr->name.name && names_in_catalog(state->names, &expr->name)
                                ? function_kind(expr->name.name)
                                : FUNCTION_UNKNOWN;

        state->plain &= kind != FUNCTION_UNKNOWN && kind != FUNCTION_VOLATILE;
    }
    return state->plain;
}

bool scope_is_volatile(const Names *names, const Block *block) {
    Look state = {names, true};

    walk_block(block, &(Walk){.expr = look_for_volatile, .arg = &state});
    return !state.plain;
}

bool scope_exists_is_join(const Names *names, const Block *block) {
    bool limit = block->limit && block->limit->kind != EXPR_CONST;
    Block ungrouped = *block;

    ungrouped.ngroup_by = 0; /* whether there is a row does not depend on groups */
    return is_bare(&ungrouped) && !limit && all_plain(names, block->targets, block->ntargets);
}

static bool has_partition(Level *level, const Window *window, int node) {
    for (int i = 0; i < window->npartition; i++) {
        if (scope_expr_node(level->env, window->partition[i]) == node)
            return true;
    }
    return false;
}

static const Window *named_window(const Block *block, const char *name) {
    for (int i = 0; name && i < block->nnamed_windows; i++) {
        if (strcmp(block->named_windows[i]->name, name) == 0)
            return block->named_windows[i];
    }
    return NULL;
}

/* Windows all of whose partitions go by the output: a row taken away takes its whole partition along. */
static bool partitioned_by(Level *level, const Window *window, int node) {
    const Window *base = named_window(level->block, window->base ? window->base : window->name);

    return has_partition(level, window, node) || (base && has_partition(level, base, node));
}

typedef struct WindowLook {
    Level *level;
    int node;
    bool ok;
} WindowLook;

static bool look_at_window(const Expr *expr, void *arg) {
    WindowLook *state = arg;

    if (expr->kind == EXPR_FUNC && expr->is_window)
        state->ok &= expr->window && partitioned_by(state->level, expr->window, state->node);
    return expr->kind != EXPR_SUBLINK;
}

static void look_for_windows(const Expr *expr, void *arg) {
    walk_expr(expr, NULL, &(Walk){.expr = look_at_window, .arg = arg});
}

static bool is_distinct_on(Level *level, int node) {
    const Block *block = level->block;

    for (int i = 0; i < block->ndistinct_on; i++) {
        if (scope_expr_node(level->env, block->distinct_on[i]) == node)
            return true;
    }
    return block->ndistinct_on == 0;
}

bool scope_may_push(Level *level, int output) {
    const Block *block = level->block;
    WindowLook windows = {level, SCOPE_NO_NODE, true};

    if (block->limit || block->offset || block->locking || block->group_distinct_or_sets)
        return false;
    if (level->left)
        return block->setop != SETOP_EXCEPT;
    if (block->kind != BLOCK_SELECT || output >= level->outputs.n ||
        level->outputs.nodes[output] == SCOPE_NO_NODE)
        return false;
    windows.node = level->outputs.nodes[output];
    walk_own_exprs(block, look_for_windows, &windows);
    return windows.ok && is_distinct_on(level, windows.node);
}
