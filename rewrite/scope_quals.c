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
        return scope_spend(env->level->scope, 1);
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

static void loosen(Level *level, int node, const char *why) {
    level->nodes[node].loose = true;
    if (!level->nodes[node].loose_why)
        level->nodes[node].loose_why = why;
}

static const char *why_not_fixed(const Expr *left, const Expr *right) {
    if (left->kind == EXPR_SUBLINK || right->kind == EXPR_SUBLINK)
        return "what a sub-select returns is known only when it has run";
    if (left->kind == EXPR_COLUMN && right->kind == EXPR_COLUMN)
        return "it is compared with a column of another query level, which Citus does not look at";
    if (left->kind == EXPR_FUNC || right->kind == EXPR_FUNC)
        return "what the function returns is not known to the planner";
    return "it is compared with an expression that the planner does not know the value of";
}

static void add_equality(Env *env, const Expr *left, const Expr *right, bool own, PredList *preds) {
    Scope *scope = env->level->scope;
    const Value *value;
    bool flipped;
    int a, b;

    if (left->kind == EXPR_ROW && right->kind == EXPR_ROW && left->nargs == right->nargs) {
        for (int i = 0; i < left->nargs; i++)
            add_equality(env, left->args[i], right->args[i], own, preds);
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
    value = scope_expr_value(env, a != SCOPE_NO_NODE ? right : left);
    flipped = a == SCOPE_NO_NODE;
    a = flipped ? b : a;
    if (!value)
        loosen(env->level, a, why_not_fixed(left, right));
    scope_add_pred(scope, preds,
                   (Pred){.a = a,
                          .b = SCOPE_NO_NODE,
                          .value = value,
                          .own = value && (own || value->fractional),
                          .flipped = flipped});
}

static bool is_null(const Expr *expr) {
    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr->kind == EXPR_CONST && expr->const_type == CONST_NULL;
}

/* The one element of '{6}', or of '{6,6}'; NULL if there is not exactly one. */
static const Expr *only_in_text(Scope *scope, const char *text) {
    size_t len = strlen(text), first;
    Expr *element = ARENA_NEW(scope->rw->arena, Expr);

    scope->rw->literals_matter = true; /* another literal may have more elements */
    if (len < 3 || text[0] != '{' || text[len - 1] != '}' ||
        strspn(text + 1, "-0123456789abcdefABCDEF,") != len - 2)
        return NULL;
    first = strcspn(text + 1, ",}");
    for (size_t at = 1 + first; text[at] == ','; at += first + 1) {
        if (strncmp(text + 1, text + at + 1, first) != 0 || !strchr(",}", text[at + 1 + first]))
            return NULL;
    }
    element->kind = EXPR_CONST;
    element->const_type = CONST_STRING;
    element->value = arena_strndup(scope->rw->arena, text + 1, first);
    return first > 0 ? element : NULL;
}

static const Expr *only_element(Scope *scope, const Expr *array) {
    while (array->kind == EXPR_CAST && array->nargs == 1)
        array = array->args[0];
    if (array->kind == EXPR_ARRAY)
        return array->nargs == 1 && !is_null(array->args[0]) ? array->args[0] : NULL;
    return array->kind == EXPR_CONST && array->const_type == CONST_STRING && array->value
               ? only_in_text(scope, array->value)
               : NULL;
}

/* The one value of a list, however often it stands there, NULLs aside; *several: the list is a list to
 * PostgreSQL. */
static const Expr *only_value(Env *env, const Expr *list, bool *several) {
    Scope *scope = env->level->scope;
    const Expr *only = NULL;
    ValueList first = {0};

    *several = list->nargs != 2;
    if (!*several)
        return list->args[1];
    for (int i = 1; i < list->nargs; i++) {
        const Value *value = scope_value(scope, list->args[i]);

        if (is_null(list->args[i]))
            continue;
        if (!value || (only && !scope_has_value(scope, &first, value)))
            return NULL;
        if (!only)
            scope_add_value(scope, &first, value);
        only = list->args[i];
    }
    return only;
}

static void add_conjunct(Env *env, const Expr *expr, bool negated, PredList *preds);

/* Leaves in `common` what holds in another arm of the OR as well. */
static void keep_common(Scope *scope, PredList *common, const PredList *here) {
    int kept = 0;

    for (int i = 0; i < common->n; i++) {
        Pred pred = common->preds[i];
        bool found = false;

        for (int k = 0; k < here->n && !found && scope_spend(scope, 1); k++) {
            const Pred *other = &here->preds[k];
            ValueList value = {0};

            if (other->a != pred.a || other->b != pred.b || !other->value != !pred.value)
                continue;
            if (other->value)
                scope_add_value(scope, &value, other->value);
            found = !pred.value || scope_has_value(scope, &value, pred.value);
            pred.own |= other->own || other->flipped != pred.flipped;
        }
        if (found)
            common->preds[kept++] = pred;
    }
    common->n = kept;
}

/* An equality that each arm of an OR contains is one that holds: the planner takes it out of the OR. Arms
 * that no row passes do not count. */
static void add_common(Env *env, const Expr * or, bool negated, PredList *preds) {
    Scope *scope = env->level->scope;
    PredList common = {0};
    int arms = 0;

    for (int i = 0; i < or->nargs && (arms == 0 || common.n > 0); i++) {
        const Expr *arm = or->args[i];
        Truth truth = scope_truth(env, arm);
        PredList here = {0};

        if (negated ? truth == TRUTH_TRUE || truth == TRUTH_NULL : scope_never(env, arm))
            continue;
        add_conjunct(env, arm, negated, arms == 0 ? &common : &here);
        if (arms++ > 0)
            keep_common(scope, &common, &here);
    }
    for (int i = 0; i < common.n; i++)
        scope_add_pred(scope, preds, common.preds[i]);
}

/* (a, b) IN ((1, 2), (1, 3)): an OR of rows. */
static void add_rows(Env *env, const Expr *in, PredList *preds) {
    PredList common = {0};

    for (int i = 1; i < in->nargs && (i == 1 || common.n > 0); i++) {
        PredList here = {0};

        add_equality(env, in->args[0], in->args[i], false, i == 1 ? &common : &here);
        if (i > 1)
            keep_common(env->level->scope, &common, &here);
    }
    for (int i = 0; i < common.n; i++)
        scope_add_pred(env->level->scope, preds, common.preds[i]);
}

static bool is_boolean(const Expr *expr, const char *value) {
    return expr->kind == EXPR_CONST && expr->const_type == CONST_BOOLEAN && expr->value &&
           strcmp(expr->value, value) == 0;
}

/* (a = 5) = true, and what says the same: the condition, and in *negated whether it is denied. */
static const Expr *compared_condition(const Expr *expr, bool unequal, bool *negated) {
    for (int i = 0; i < 2; i++) {
        const Expr *condition = expr->args[i], *constant = expr->args[1 - i];
        bool is_false = is_boolean(constant, "false");

        if ((!is_false && !is_boolean(constant, "true")) || condition->kind == EXPR_COLUMN)
            continue;
        *negated = is_false != unequal;
        return condition;
    }
    return NULL;
}

static void add_operator(Env *env, const Expr *expr, bool negated, PredList *preds) {
    bool equal = is_operator(env->names, expr, "="), unequal = is_operator(env->names, expr, "<>");
    bool denied;
    const Expr *condition = equal || unequal ? compared_condition(expr, unequal, &denied) : NULL;

    if (condition)
        add_conjunct(env, condition, denied != negated, preds);
    else if (negated ? unequal : equal)
        add_equality(env, expr->args[0], expr->args[1], false, preds);
}

/* Longer lists are not read: no one writes a value that often. */
#define MAX_LIST 100

/* Whether a tenant column is compared. Lists of other columns' values do not matter, and their literals
 * should not. */
static bool has_tenant(Env *env, const Expr *expr) {
    const Level *level = env->level;
    int node;

    for (int i = 0; expr->kind == EXPR_ROW && i < expr->nargs; i++) {
        if (has_tenant(env, expr->args[i]))
            return true;
    }
    node = expr->kind == EXPR_ROW ? SCOPE_NO_NODE : scope_expr_node(env, expr);
    for (int i = 0; i < level->scope->nrefs && node != SCOPE_NO_NODE && scope_spend(level->scope, 1); i++) {
        const Ref *ref = level->scope->refs[i];

        if (ref->level == level && ref->node == node)
            return true;
        if (expr->kind == EXPR_COLUMN && strcmp(expr->column, ref->table->tenant_column) == 0)
            return true; /* of a sub-select, likely */
    }
    return false;
}

static void add_list(Env *env, const Expr *in, PredList *preds) {
    bool several;
    const Expr *element;

    if (in->nargs > 2 && (in->nargs > MAX_LIST || !has_tenant(env, in->args[0])))
        return;
    if (in->args[0]->kind == EXPR_ROW) {
        add_rows(env, in, preds);
        return;
    }
    element = only_value(env, in, &several);
    if (element)
        add_equality(env, in->args[0], element, several, preds);
}

static void add_array(Env *env, const Expr *expr, PredList *preds) {
    const Expr *element = NULL;

    if (expr->nargs == 2 && is_operator(env->names, expr, "=") && expr->args[0]->kind != EXPR_ROW &&
        has_tenant(env, expr->args[0]))
        element = only_element(env->level->scope, expr->args[1]);
    if (element)
        add_equality(env, expr->args[0], element, true, preds);
}

/* A condition without its sub-selects; `negated`: it stands below a NOT. */
static void add_conjunct(Env *env, const Expr *expr, bool negated, PredList *preds) {
    if (!scope_spend(env->level->scope, 1))
        return;
    switch (expr->kind) {
    case EXPR_AND:
    case EXPR_OR:
        for (int i = 0; i < expr->nargs && negated == (expr->kind == EXPR_OR); i++)
            add_conjunct(env, expr->args[i], negated, preds);
        if (negated != (expr->kind == EXPR_OR))
            add_common(env, expr, negated, preds);
        break;
    case EXPR_NOT:
        if (expr->nargs == 1)
            add_conjunct(env, expr->args[0], !negated, preds);
        break;
    case EXPR_OP:
        if (expr->nargs == 2)
            add_operator(env, expr, negated, preds);
        break;
    case EXPR_IN:
        if (expr->negated == negated)
            add_list(env, expr, preds);
        break;
    case EXPR_OP_ANY:
    case EXPR_OP_ALL:
        if (!negated)
            add_array(env, expr, preds);
        break;
    case EXPR_CAST:
        if (expr->nargs == 1 && expr->name.name && strcmp(expr->name.name, "bool") == 0)
            add_conjunct(env, expr->args[0], negated, preds);
        break;
    case EXPR_CASE: /* CASE WHEN true THEN … END: as generators write it */
        if (expr->nargs == 2 && !negated && scope_truth(env, expr->args[0]) == TRUTH_TRUE)
            add_conjunct(env, expr->args[1], false, preds);
        break;
    default:
        break;
    }
}

/* ---- sub-selects that become joins ---- */

/* What never holds in a sub-select says so of nothing around it, and Citus may not plan it. */
static void confine(Scope *scope, Tree *tree) {
    if (!scope_spend(scope, 1))
        return;
    tree->broken |= tree->never;
    tree->never = false;
    for (int i = 0; i < tree->nitems; i++)
        confine(scope, tree->items[i]);
}

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
    confine(scope, inner);
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
    Tree *inner;
    Env *fence;

    if (!test || !is_operator(env->names, expr, "="))
        return false;
    fence = scope_new_env(level, expr->block, env->names, env);
    fence->reached_outside = &correlated;
    fence->closed = true;
    inner = scope_subquery(env, expr->block, env->names, fence, false, columns);
    confine(scope, inner);
    scope_add_tree(scope, tree, inner);
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

typedef struct Mark {
    Env *env;
    const char *why;
    bool in_or;
} Mark;

static bool on_column(const Expr *expr, void *arg) {
    const Mark *mark = arg;
    int node = expr->kind == EXPR_COLUMN ? scope_expr_node(mark->env, expr) : SCOPE_NO_NODE;

    if (node != SCOPE_NO_NODE) {
        loosen(mark->env->level, node, mark->why);
        mark->env->level->nodes[node].in_or |= mark->in_or;
    }
    return expr->kind != EXPR_SUBLINK && scope_spend(mark->env->level->scope, 1);
}

/* It says nothing that counts of the columns in it. */
static void mark_columns(Env *env, const Expr *expr) {
    static const struct {
        ExprKind kind;
        const char *why;
        bool in_or;
    } kinds[] = {
        {EXPR_OR, "it stands in an OR of which not every part has the same value", true},
        {EXPR_NOT, "the condition is denied", true},
        {EXPR_IN, "the list has several values, or excludes them", true},
        {EXPR_OP_ANY, "the array may have several elements", true},
        {EXPR_BETWEEN, "a range is not one value, even if both ends are the same", false},
        {EXPR_DISTINCT, "Citus does not prune by IS NOT DISTINCT FROM", false},
        {EXPR_BOOLEAN_TEST, "Citus does not look into IS TRUE and the like", false},
        {EXPR_IS_NULL, "it is tested for NULL", false},
        {EXPR_OP, "it is compared by an operator other than =, or as part of an expression", false},
    };
    Mark mark = {env, NULL, false};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].kind == expr->kind)
            mark = (Mark){env, kinds[i].why, kinds[i].in_or};
    }
    walk_expr(expr, env->block, &(Walk){.expr = on_column, .arg = &mark});
}

void scope_add_quals(Env *env, const Expr *expr, Tree *tree, bool pull_up) {
    int before = tree->preds.n;

    if (!expr || !scope_spend(env->level->scope, 1))
        return;
    if (expr->kind == EXPR_AND) {
        tree->never |= scope_never(env, expr);
        for (int i = 0; i < expr->nargs; i++)
            scope_add_quals(env, expr->args[i], tree, pull_up);
        return;
    }
    if (pull_up && add_join(env, expr, tree))
        return;
    tree->never |= scope_never(env, expr);
    if (tree->never) /* the planner drops all that stands beside it, sub-selects too */
        return;
    add_conjunct(env, expr, false, &tree->preds);
    if (tree->preds.n == before)
        mark_columns(env, expr);
    scope_add_sublinks(env, expr);
}
