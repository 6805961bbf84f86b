/* FROM: from the text's tables, joins and sub-selects to a level's join tree. */
#include "rewrite/scope_level.h"

#include <string.h>

#include "rewrite/survey.h"

Tree *scope_new_tree(Scope *scope, TreeKind kind, int lo) {
    Tree *tree = ARENA_NEW(scope->rw->arena, Tree);

    (void)scope_take(scope, sizeof(Tree));
    tree->kind = kind;
    tree->lo = tree->hi = lo;
    return tree;
}

void scope_add_tree(Scope *scope, Tree *tree, Tree *item) {
    tree->items = scope_grow(scope, tree->items, tree->nitems, &tree->capacity, sizeof(Tree *));
    tree->items[tree->nitems++] = item;
    tree->lo = item->lo < tree->lo ? item->lo : tree->lo;
    tree->hi = item->hi > tree->hi ? item->hi : tree->hi;
}

Tree *scope_new_rel(Level *level, int *rel) {
    Tree *tree = scope_new_tree(level->scope, TREE_REL, level->nrels);

    level->scope->gave_up |= ++level->scope->nnodes > SCOPE_MAX_NODES;
    *rel = level->nrels++;
    tree->hi = level->nrels;
    return tree;
}

Ref *scope_add_ref(Level *level, const Table *table, const char *alias, int node) {
    Scope *scope = level->scope;
    Ref *ref = ARENA_NEW(scope->rw->arena, Ref);

    *ref = (Ref){.table = table, .alias = alias, .level = level, .node = node};
    scope->refs = scope_grow(scope, scope->refs, scope->nrefs, &scope->ref_capacity, sizeof(Ref *));
    scope->refs[scope->nrefs++] = ref;
    return ref;
}

static void rename_columns(Columns *columns, const FromItem *item) {
    for (int i = 0; i < item->ncolumns; i++) {
        if (columns->open && i < columns->n)
            columns->nodes[i] = SCOPE_NO_NODE; /* which column stands where is not known */
        if (i < columns->n)
            columns->names[i] = item->columns[i];
    }
}

/* ---- tables ---- */

Tree *scope_table(Env *env, const FromItem *item, const Table *table, Columns *columns, Ref **ref) {
    Level *level = env->level;
    int rel, node;
    Tree *tree = scope_new_rel(level, &rel);

    *ref = NULL;
    for (int i = 0; i < table->ncolumns; i++)
        scope_add_column(level->scope, columns, table->columns[i].name, scope_new_node(level, rel));
    columns->open = table->ncolumns == 0;
    if (!rewrite_is_tenant_table(table))
        return tree;
    node = scope_find_column(columns, table->tenant_column);
    if (node < 0) {
        columns->absent = table->tenant_column;
        columns->absent_node = scope_new_node(level, rel);
    }
    *ref = scope_add_ref(level, table, item->alias ? item->alias : table->name,
                         node < 0 ? columns->absent_node : columns->nodes[node]);
    (*ref)->columns = columns;
    return tree;
}

static Tree *unknown_rel(Env *env, Columns *columns) {
    columns->open = columns->grows = true;
    return scope_new_rel(env->level, &columns->rel);
}

/* Fresh columns with the names that a level of its own puts out. */
static Tree *rel_of_level(Env *env, const Columns *outputs, Columns *columns, int **nodes) {
    Level *level = env->level;
    int rel;
    Tree *tree = scope_new_rel(level, &rel);

    *nodes = ARENA_ARRAY(level->scope->rw->arena, int, outputs->n);
    (void)scope_take(level->scope, sizeof(int) * (size_t)outputs->n);
    for (int i = 0; i < outputs->n; i++) {
        (*nodes)[i] = scope_new_node(level, rel);
        scope_add_column(level->scope, columns, outputs->names[i], (*nodes)[i]);
    }
    columns->open = outputs->open;
    return tree;
}

static void name_columns(Columns *columns, const char **names, int n) {
    for (int i = 0; i < n && i < columns->n && !columns->open; i++)
        columns->names[i] = names[i];
}

static Tree *cte_item(Env *env, const Cte *cte, bool outer_joined, Columns *columns) {
    CteState *state = scope_cte(env->level->scope, cte);
    Tree *tree;
    int *nodes;

    if (!state->level && scope_cte_is_inlined(env->names, state, env->block))
        tree = scope_subquery(env, cte->block, env->names, NULL, outer_joined, columns);
    else if (state->level)
        tree = rel_of_level(env, &state->level->outputs, columns, &nodes);
    else
        tree = unknown_rel(env, columns);
    name_columns(columns, cte->columns, cte->ncolumns);
    return tree;
}

static Tree *view_item(Env *env, const Table *view, bool outer_joined, Columns *columns) {
    const Block *block = survey_view(env->level->scope->rw->survey, view);
    Tree *tree;

    if (!block)
        return unknown_rel(env, columns);
    tree = scope_subquery(env, block, env->level->scope->rw->view_names, NULL, outer_joined, columns);
    for (int i = 0; i < view->ncolumns && i < columns->n && !columns->open; i++)
        columns->names[i] = view->columns[i].name;
    return tree;
}

static Tree *named_item(Env *env, const FromItem *item, bool outer_joined, Columns *columns) {
    NameMeaning meaning = names_resolve(env->names, env->block, &item->name);
    Ref *ref;

    if (meaning.kind == NAME_CTE)
        return cte_item(env, meaning.cte, outer_joined, columns);
    if (meaning.kind != NAME_TABLE)
        return unknown_rel(env, columns);
    if (meaning.table->relkind == 'v')
        return view_item(env, meaning.table, outer_joined, columns);
    return scope_table(env, item, meaning.table, columns, &ref);
}

/* ---- sub-selects ---- */

static Tree *values_item(Env *env, const Block *block, Columns *columns) {
    Level *level = env->level;
    const Row *row = &block->rows[0];
    int rel;
    Tree *tree = scope_new_rel(level, &rel);

    for (int i = 0; i < row->ncells; i++) {
        const Value *value = scope_value(level->scope, row->cells[i].expr);
        int node = scope_new_node(level, rel);

        if (value)
            scope_bind(level, node, value);
        if (node != SCOPE_NO_NODE)
            level->nodes[node].fixed = value;
        scope_add_sublinks(env, row->cells[i].expr);
        scope_add_column(level->scope, columns, arena_printf(level->scope->rw->arena, "column%d", i + 1),
                         node);
    }
    return tree;
}

/* Below an outer join, LATERAL is pulled up only if what it may refer to is below it, too. */
static bool sees_all(const Env *env) { return env->outer_rel < 0 || env->outer_rel == env->first_rel; }

Tree *scope_subquery(Env *env, const Block *block, const Names *names, Env *outer, bool outer_joined,
                     Columns *columns) {
    Level *level = env->level;
    Scope *scope = level->scope;
    Level *child;
    Tree *tree;
    int *nodes;

    if (scope->gave_up)
        return unknown_rel(env, columns);
    if (block->kind == BLOCK_VALUES && block->nrows == 1 && block->nctes == 0 && !outer_joined)
        return values_item(env, block, columns);
    if (scope_runs_ahead(scope, names, block)) {
        child = scope_build(scope, block, names, outer);
        scope_add_child(level, child, NULL);
        return rel_of_level(env, &child->outputs, columns, &nodes);
    }
    if (scope_is_simple(names, block) && (outer != env || sees_all(env))) {
        Env *inside = scope_new_env(level, block, names, outer);

        tree = scope_new_tree(scope, TREE_FROM, level->nrels);
        scope_fill_from(inside, tree, outer_joined);
        for (int i = 0; i < block->ntargets; i++)
            scope_add_sublinks(inside, block->targets[i].expr);
        scope_outputs(inside, block->targets, block->ntargets, !outer_joined, columns);
        return tree;
    }
    child = scope_build(scope, block, names, outer);
    tree = rel_of_level(env, &child->outputs, columns, &nodes);
    if (block->kind == BLOCK_VALUES) /* below an outer join these are not seen through */
        memset(columns->nodes, 0xff, sizeof(int) * (size_t)columns->n);
    scope_add_child(level, child, nodes);
    return tree;
}

/* ---- joins ---- */

static bool is_merged(const Columns *merged, const char *name) {
    return name && scope_find_column(merged, name) >= 0;
}

static int side_node(const Columns *side, const char *name) {
    int at = scope_find_column(side, name);

    if (at >= 0)
        return side->nodes[at];
    return side->absent && strcmp(side->absent, name) == 0 ? side->absent_node : SCOPE_NO_NODE;
}

static bool is_of_rel(const Level *level, int node) {
    return node != SCOPE_NO_NODE && level->nodes[node].rel >= 0;
}

static void merge_column(Level *level, const FromItem *join, const Columns *left, const Columns *right,
                         const char *name, Tree *tree, Columns *columns) {
    Scope *scope = level->scope;
    int a = side_node(left, name), b = side_node(right, name);
    int node = join->join == JOIN_TYPE_RIGHT ? b : a;

    if (a != SCOPE_NO_NODE && b != SCOPE_NO_NODE)
        scope_add_pred(scope, &tree->preds, (Pred){.a = a, .b = b});
    if (join->join == JOIN_TYPE_FULL) { /* whichever is not NULL: compared with a value, both are */
        node = scope_new_node(level, -1);
        if (is_of_rel(level, a) && is_of_rel(level, b)) {
            scope_imply(level, node, a, tree->lo, tree->hi);
            scope_imply(level, node, b, tree->lo, tree->hi);
        }
    }
    scope_add_column(scope, columns, name, node);
}

/* The columns of a join: merged ones first, then those of both sides. */
static void join_columns(Env *env, const FromItem *join, const Columns *left, const Columns *right,
                         Tree *tree, Columns *columns) {
    Scope *scope = env->level->scope;
    const Columns *sides[] = {left, right};
    int nmerged;

    if (!scope_spend(scope, (int64_t)(join->natural ? left->n : join->nusing) * (left->n + right->n)))
        return;
    for (int i = 0; i < join->nusing; i++)
        merge_column(env->level, join, left, right, join->using_columns[i], tree, columns);
    for (int i = 0; join->natural && i < left->n; i++) {
        if (left->names[i] && scope_find_column(right, left->names[i]) >= 0)
            merge_column(env->level, join, left, right, left->names[i], tree, columns);
    }
    nmerged = columns->n;
    if (join->using_alias) {
        Columns *alias = ARENA_NEW(scope->rw->arena, Columns);

        for (int i = 0; i < nmerged; i++)
            scope_add_column(scope, alias, columns->names[i], columns->nodes[i]);
        scope_add_item(env, NULL, join->using_alias, alias);
    }
    for (size_t k = 0; k < ARRAY_LEN(sides); k++) {
        const Columns merged = {.names = columns->names, .nodes = columns->nodes, .n = nmerged};

        for (int i = 0; i < sides[k]->n && scope_spend(scope, nmerged); i++) {
            if (!is_merged(&merged, sides[k]->names[i]))
                scope_add_column(scope, columns, sides[k]->names[i], sides[k]->nodes[i]);
        }
        columns->open |= sides[k]->open;
        if (sides[k]->absent && !is_merged(&merged, sides[k]->absent)) {
            bool both = columns->absent != NULL;

            columns->absent = sides[k]->absent;
            columns->absent_node = both ? SCOPE_NO_NODE : sides[k]->absent_node;
        }
    }
}

static Tree *join_item(Env *env, const FromItem *join, bool outer_joined, Columns *columns) {
    static const TreeKind kinds[] = {
        [JOIN_TYPE_INNER] = TREE_FROM, [JOIN_TYPE_LEFT] = TREE_LEFT,  [JOIN_TYPE_RIGHT] = TREE_LEFT,
        [JOIN_TYPE_FULL] = TREE_FULL,  [JOIN_TYPE_CROSS] = TREE_FROM,
    };
    Scope *scope = env->level->scope;
    Tree *tree = scope_new_tree(scope, kinds[join->join], env->level->nrels);
    const bool full = join->join == JOIN_TYPE_FULL;
    const int around = env->outer_rel;
    const Columns *left, *right;
    Tree *left_tree, *right_tree;
    Env *on = ARENA_NEW(scope->rw->arena, Env);

    env->level->outer_joins |= tree->kind != TREE_FROM;
    if (tree->kind != TREE_FROM)
        env->outer_rel = env->level->nrels;
    left_tree =
        scope_from_item(env, join->left, outer_joined || full || join->join == JOIN_TYPE_RIGHT, &left);
    right_tree =
        scope_from_item(env, join->right, outer_joined || full || join->join == JOIN_TYPE_LEFT, &right);
    env->outer_rel = around;
    scope_add_tree(scope, tree, join->join == JOIN_TYPE_RIGHT ? right_tree : left_tree);
    scope_add_tree(scope, tree, join->join == JOIN_TYPE_RIGHT ? left_tree : right_tree);
    join_columns(env, join, left, right, tree, columns);
    *on = *env; /* in ON, unqualified names mean columns of the two sides */
    on->visible = NULL;
    on->nvisible = on->visible_capacity = 0;
    scope_add_visible(on, left);
    scope_add_visible(on, right);
    scope_add_quals(on, join->quals, tree, tree->kind == TREE_FROM);
    return tree;
}

/* ---- all of it ---- */

static const char *item_name(const FromItem *item) {
    if (item->alias)
        return item->alias;
    return item->kind == FROM_TABLE ? item->name.name : NULL;
}

/* What a sub-select in FROM sees without LATERAL: not its neighbours, but what its neighbours see. */
static Env *around(Env *env) {
    Env *outer = scope_new_env(env->level, env->block, env->names, env->outer);

    outer->closed = env->closed;
    outer->first_rel = env->first_rel;
    outer->outer_rel = env->outer_rel;
    outer->reached_outside = env->reached_outside;
    return outer;
}

Tree *scope_from_item(Env *env, const FromItem *item, bool outer_joined, const Columns **result) {
    Columns *columns = ARENA_NEW(env->level->scope->rw->arena, Columns);
    Env *outer = item->lateral ? env : around(env);
    Tree *tree;

    (void)scope_take(env->level->scope, sizeof(Columns));
    switch (item->kind) {
    case FROM_TABLE:
        tree = named_item(env, item, outer_joined, columns);
        break;
    case FROM_SUBQUERY:
    case FROM_VALUES:
        tree = scope_subquery(env, item->block, env->names, outer, outer_joined, columns);
        break;
    case FROM_JOIN:
        tree = join_item(env, item, outer_joined, columns);
        break;
    default:
        tree = unknown_rel(env, columns);
        for (int i = 0; i < item->nexprs; i++)
            scope_add_sublinks(env, item->exprs[i]);
        break;
    }
    rename_columns(columns, item);
    if (item_name(item))
        scope_add_item(env, item->alias ? NULL : item->name.schema, item_name(item), columns);
    *result = columns;
    return tree;
}

void scope_fill_from(Env *env, Tree *tree, bool outer_joined) {
    const Block *block = env->block;
    const bool closed = env->closed;

    env->first_rel = env->level->nrels;
    env->outer_rel = -1;
    /* A correlated FROM keeps PostgreSQL from pulling up: what it would equate is not counted. */
    env->closed = true;
    for (int i = 0; i < block->nfrom; i++) {
        const Columns *columns;

        scope_add_tree(env->level->scope, tree, scope_from_item(env, block->from[i], outer_joined, &columns));
        scope_add_visible(env, columns);
    }
    env->closed = closed;
    scope_add_quals(env, block->where, tree, true);
    if (block->ngroup_by > 0 && !block->group_distinct_or_sets)
        scope_add_quals(env, block->having, tree, false);
    else
        scope_add_sublinks(env, block->having);
}
