/* Conditions: what they say of columns, as PostgreSQL's planner reads them. */
#include "rewrite/scope_level.h"

#include <string.h>

#include "rewrite/walk.h"

void scope_add_pred(Scope *scope, PredList *list, Pred pred) {
    list->preds = scope_grow(scope, list->preds, list->n, &list->capacity, sizeof(Pred));
    list->preds[list->n++] = pred;
}

/* ---- sub-selects that stay sub-selects ---- */

static bool on_sublink(const Expr *expr, void *arg) {
    Env *env = arg;

    if (expr->kind != EXPR_SUBLINK)
        return true;
    for (int i = 0; i < expr->nargs; i++)
        scope_add_sublinks(env, expr->args[i]);
    if (expr->block)
        scope_add_child(env->level, scope_build(env->level->scope, expr->block, env->names, env), NULL);
    return false;
}

void scope_add_sublinks(Env *env, const Expr *expr) {
    walk_expr(expr, env->block, &(Walk){.expr = on_sublink, .arg = env});
}

/* ---- equalities ---- */

static bool is_operator(const Names *names, const Expr *expr, const char *op) {
    Name name = {.schema = expr->op_schema, .name = expr->op};

    return expr->op && strcmp(expr->op, op) == 0 && names_in_catalog(names, &name);
}

static void add_equality(Env *env, const Expr *left, const Expr *right, PredList *preds) {
    Scope *scope = env->level->scope;
    const Value *value;
    int a, b;

    if (left->kind == EXPR_ROW && right->kind == EXPR_ROW && left->nargs == right->nargs) {
        for (int i = 0; i < left->nargs; i++)
            add_equality(env, left->args[i], right->args[i], preds);
        return;
    }
    a = scope_expr_node(env, left);
    b = scope_expr_node(env, right);
    if (a == SCOPE_NO_NODE && b == SCOPE_NO_NODE)
        return;
    if (a != SCOPE_NO_NODE && b != SCOPE_NO_NODE) {
        scope_add_pred(scope, preds, (Pred){.a = a, .b = b});
        return;
    }
    value = scope_value(scope, a != SCOPE_NO_NODE ? right : left);
    a = a != SCOPE_NO_NODE ? a : b;
    env->level->nodes[a].loose |= !value;
    scope_add_pred(scope, preds, (Pred){.a = a, .b = SCOPE_NO_NODE, .value = value});
}

/* The one element of '{6}' or ARRAY[6]; NULL if there is not exactly one. */
static const Expr *only_element(Scope *scope, const Expr *array) {
    while (array->kind == EXPR_CAST && array->nargs == 1)
        array = array->args[0];
    if (array->kind == EXPR_ARRAY)
        return array->nargs == 1 ? array->args[0] : NULL;
    if (array->kind == EXPR_CONST && array->const_type == CONST_STRING && array->value) {
        size_t len = strlen(array->value);
        Expr *element = ARENA_NEW(scope->rw->arena, Expr);

        scope->rw->literals_matter = true; /* another literal may have more elements */
        if (len < 3 || array->value[0] != '{' || array->value[len - 1] != '}' ||
            strspn(array->value + 1, "-0123456789abcdefABCDEF") != len - 2)
            return NULL;
        element->kind = EXPR_CONST;
        element->const_type = CONST_STRING;
        element->value = arena_strndup(scope->rw->arena, array->value + 1, len - 2);
        return element;
    }
    return NULL;
}

static void add_conjunct(Env *env, const Expr *expr, PredList *preds);

/* An equality that each arm of an OR contains is one that holds: the planner takes it out of the OR. */
static void add_common(Env *env, const Expr * or, PredList *preds) {
    Scope *scope = env->level->scope;
    PredList common = {0};

    if (or->nargs == 0)
        return;
    add_conjunct(env, or->args[0], &common);
    for (int arm = 1; arm < or->nargs && common.n > 0; arm++) {
        PredList here = {0};
        int kept = 0;

        add_conjunct(env, or->args[arm], &here);
        for (int i = 0; i < common.n; i++) {
            const Pred *pred = &common.preds[i];
            bool found = false;

            for (int k = 0; k < here.n && !found; k++) {
                const Pred *other = &here.preds[k];
                ValueList value = {0};

                if (other->a != pred->a || other->b != pred->b || !other->value != !pred->value)
                    continue;
                if (other->value)
                    scope_add_value(scope, &value, other->value);
                found = !pred->value || scope_has_value(scope, &value, pred->value);
            }
            if (found)
                common.preds[kept++] = *pred;
        }
        common.n = kept;
    }
    for (int i = 0; i < common.n; i++)
        scope_add_pred(scope, preds, common.preds[i]);
}

static void add_operator(Env *env, const Expr *expr, PredList *preds) {
    const Expr *left = expr->args[0], *right = expr->args[1];

    if (!is_operator(env->names, expr, "="))
        return;
    if (right->kind == EXPR_CONST && right->const_type == CONST_BOOLEAN && right->value &&
        strcmp(right->value, "true") == 0 && left->kind != EXPR_COLUMN)
        add_conjunct(env, left, preds); /* (a = 5) = true */
    else
        add_equality(env, left, right, preds);
}

/* A condition without its sub-selects. */
static void add_conjunct(Env *env, const Expr *expr, PredList *preds) {
    const Expr *element;

    switch (expr->kind) {
    case EXPR_AND:
        for (int i = 0; i < expr->nargs; i++)
            add_conjunct(env, expr->args[i], preds);
        break;
    case EXPR_OR:
        add_common(env, expr, preds);
        break;
    case EXPR_NOT:
        if (expr->nargs == 1 && expr->args[0]->kind == EXPR_OP && expr->args[0]->nargs == 2 &&
            is_operator(env->names, expr->args[0], "<>"))
            add_equality(env, expr->args[0]->args[0], expr->args[0]->args[1], preds);
        break;
    case EXPR_OP:
        if (expr->nargs == 2)
            add_operator(env, expr, preds);
        break;
    case EXPR_IN:
        if (!expr->negated && expr->nargs == 2)
            add_equality(env, expr->args[0], expr->args[1], preds);
        break;
    case EXPR_OP_ANY:
        element = expr->nargs == 2 && is_operator(env->names, expr, "=")
                      ? only_element(env->level->scope, expr->args[1])
                      : NULL;
        if (element) {
            int before = preds->n;

            add_equality(env, expr->args[0], element, preds);
            for (int i = before; i < preds->n; i++)
                preds->preds[i].own = preds->preds[i].value != NULL;
        }
        break;
    default:
        break;
    }
}

/* ---- sub-selects that become joins ---- */

/* EXISTS (SELECT … WHERE inner.a = outer.a); NOT EXISTS with `anti`. What stands in its FROM may not refer to
 * the query around it, else PostgreSQL leaves it where it is. */
static bool join_exists(Env *env, const Expr *expr, Tree *tree, bool anti) {
    Level *level = env->level;
    Scope *scope = level->scope;
    Tree *inner, *wrapper;
    Env *inside;

    if (!scope_exists_is_join(env->names, expr->block))
        return false;
    inside = scope_new_env(level, expr->block, env->names, env);
    inner = scope_new_tree(scope, TREE_FROM, level->nrels);
    scope_fill_from(inside, inner, anti);
    if (!anti) {
        scope_add_tree(scope, tree, inner);
        return true;
    }
    /* The WHERE of the sub-select is the join's condition: it says nothing of the rows around it. */
    wrapper = scope_new_tree(scope, TREE_ANTI, inner->lo);
    wrapper->preds = inner->preds;
    inner->preds = (PredList){0};
    scope_add_tree(scope, wrapper, inner);
    scope_add_tree(scope, tree, wrapper);
    return true;
}

/* x IN (SELECT …): a join, unless the sub-select is correlated. */
static bool join_any(Env *env, const Expr *expr, Tree *tree) {
    Level *level = env->level;
    Scope *scope = level->scope;
    const Expr *test = expr->nargs > 0 ? expr->args[0] : NULL;
    Columns *columns = ARENA_NEW(scope->rw->arena, Columns);
    int ntests = test && test->kind == EXPR_ROW ? test->nargs : 1;
    bool correlated = false;
    Env *fence;

    if (!test || !is_operator(env->names, expr, "="))
        return false;
    fence = scope_new_env(level, expr->block, env->names, env);
    fence->reached_outside = &correlated;
    fence->closed = true;
    scope_add_tree(scope, tree, scope_subquery(env, expr->block, env->names, fence, false, columns));
    for (int i = 0; i < ntests && i < columns->n && !correlated && !columns->open; i++) {
        int node = scope_expr_node(env, test->kind == EXPR_ROW ? test->args[i] : test);

        if (node != SCOPE_NO_NODE && columns->nodes[i] != SCOPE_NO_NODE)
            scope_add_pred(scope, &tree->preds, (Pred){.a = node, .b = columns->nodes[i]});
    }
    scope_add_sublinks(env, test);
    return true;
}

static bool add_join(Env *env, const Expr *expr, Tree *tree) {
    bool negated = expr->kind == EXPR_NOT && expr->nargs == 1;
    const Expr *sublink = negated ? expr->args[0] : expr;

    if (sublink->kind != EXPR_SUBLINK || !sublink->block)
        return false;
    if (sublink->sublink == SUBLINK_EXISTS)
        return join_exists(env, sublink, tree, negated);
    return sublink->sublink == SUBLINK_ANY && !negated && !sublink->negated && join_any(env, sublink, tree);
}

static bool on_column(const Expr *expr, void *arg) {
    Env *env = arg;
    int node = expr->kind == EXPR_COLUMN ? scope_expr_node(env, expr) : SCOPE_NO_NODE;

    if (node != SCOPE_NO_NODE)
        env->level->nodes[node].loose = true;
    return expr->kind != EXPR_SUBLINK;
}

void scope_add_quals(Env *env, const Expr *expr, Tree *tree, bool pull_up) {
    int before = tree->preds.n;

    if (!expr || env->level->scope->gave_up)
        return;
    if (expr->kind == EXPR_AND) {
        for (int i = 0; i < expr->nargs; i++)
            scope_add_quals(env, expr->args[i], tree, pull_up);
        return;
    }
    if (pull_up && add_join(env, expr, tree))
        return;
    add_conjunct(env, expr, &tree->preds);
    if (tree->preds.n == before)
        walk_expr(expr, env->block, &(Walk){.expr = on_column, .arg = env});
    scope_add_sublinks(env, expr);
}
