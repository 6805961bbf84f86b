/* Levels: one for each query block that is planned by itself. */
#include "rewrite/scope_level.h"

void scope_add_child(Level *level, Level *child, const int *nodes) {
    level->children =
        scope_grow(level->scope, level->children, level->nchildren, &level->child_capacity, sizeof(Child));
    level->children[level->nchildren++] = (Child){child, nodes};
}

static void add_list(Env *env, Expr *const *exprs, int n) {
    for (int i = 0; i < n; i++)
        scope_add_sublinks(env, exprs[i]);
}

/* Sub-selects outside FROM, WHERE and HAVING. */
static void add_other_sublinks(Env *env) {
    const Block *block = env->block;

    for (int i = 0; i < block->ntargets; i++)
        scope_add_sublinks(env, block->targets[i].expr);
    add_list(env, block->group_by, block->ngroup_by);
    add_list(env, block->distinct_on, block->ndistinct_on);
    add_list(env, block->order_by, block->norder_by);
    add_list(env, block->windows, block->nwindows);
    scope_add_sublinks(env, block->limit);
    scope_add_sublinks(env, block->offset);
}

static void build_select(Env *env) {
    Level *level = env->level;

    scope_fill_from(env, level->root, false);
    add_other_sublinks(env);
    scope_outputs(env, env->block->targets, env->block->ntargets, true, &level->outputs);
}

static void build_values(Env *env) {
    Level *level = env->level;
    const Block *block = env->block;
    const int ncells = block->nrows > 0 ? block->rows[0].ncells : 0;

    for (int row = 0; row < block->nrows; row++) {
        for (int i = 0; i < block->rows[row].ncells; i++)
            scope_add_sublinks(env, block->rows[row].cells[i].expr);
    }
    for (int i = 0; i < ncells; i++) {
        const Value *value =
            block->nrows == 1 ? scope_value(level->scope, block->rows[0].cells[i].expr) : NULL;
        int node = scope_new_node(level, -1);

        if (value)
            scope_bind(level, node, value);
        scope_add_column(level->scope, &level->outputs,
                         arena_printf(level->scope->rw->arena, "column%d", i + 1), node);
    }
}

static void build_setop(Env *env, Env *outer) {
    Level *level = env->level;
    const Block *block = env->block;

    level->left = scope_build(level->scope, block->left, env->names, outer);
    level->right = scope_build(level->scope, block->right, env->names, outer);
    for (int i = 0; i < level->left->outputs.n; i++)
        scope_add_column(level->scope, &level->outputs, level->left->outputs.names[i], SCOPE_NO_NODE);
    level->outputs.open = level->left->outputs.open || level->right->outputs.open;
    add_other_sublinks(env);
}

Level *scope_build(Scope *scope, const Block *block, const Names *names, Env *outer) {
    Level *level = ARENA_NEW(scope->rw->arena, Level);

    level->scope = scope;
    level->block = block;
    level->root = scope_new_tree(scope, TREE_FROM, 0);
    level->env = scope_new_env(level, block, names, outer);
    scope->gave_up |= ++scope->nnodes > SCOPE_MAX_NODES;
    if (!scope_take(scope, sizeof(Level)))
        return level;
    scope_build_ctes(level->env);
    if (block->kind == BLOCK_SELECT)
        build_select(level->env);
    else if (block->kind == BLOCK_VALUES)
        build_values(level->env);
    else if (block->kind == BLOCK_SETOP)
        build_setop(level->env, outer);
    else
        scope_build_write(level->env);
    return level;
}
