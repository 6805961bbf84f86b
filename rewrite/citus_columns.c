/* Columns of the queries that Citus plans, and which of them are equal. */
#include <string.h>

#include "rewrite/citus_tree.h"
#include "rewrite/outputs.h"

/* ---- classes ---- */

/* Whether more may be looked at, so many names, say. */
static bool within_budget(CitusTree *tree, int names) {
    tree->gave_up |= !scope_spend(&tree->scope, names);
    return !tree->gave_up;
}

int citus_columns_node(CitusTree *tree) {
    Scope *scope = &tree->scope;

    if (tree->nnodes >= SCOPE_MAX_NODES) {
        tree->gave_up = true;
        return -1;
    }
    tree->nodes = scope_grow(scope, tree->nodes, tree->nnodes, &tree->node_capacity, sizeof(CitusNode));
    tree->nodes[tree->nnodes] = (CitusNode){.up = tree->nnodes, .bound_up = tree->nnodes};
    return tree->nnodes++;
}

int citus_tree_class(CitusTree *tree, int node) {
    CitusNode *nodes = tree->nodes;

    while (nodes[node].up != node) {
        nodes[node].up = nodes[nodes[node].up].up;
        node = nodes[node].up;
    }
    return node;
}

static int bound_class(CitusTree *tree, int node) {
    CitusNode *nodes = tree->nodes;

    while (nodes[node].bound_up != node) {
        nodes[node].bound_up = nodes[nodes[node].bound_up].bound_up;
        node = nodes[node].bound_up;
    }
    return node;
}

void citus_columns_union(CitusTree *tree, int a, int b) {
    if (a < 0 || b < 0)
        return;
    a = citus_tree_class(tree, a);
    b = citus_tree_class(tree, b);
    tree->nodes[b].up = a;
}

static void bind_same(CitusTree *tree, int a, int b) {
    a = bound_class(tree, a);
    b = bound_class(tree, b);
    tree->nodes[b].bound_up = a;
    if (!tree->nodes[a].value)
        tree->nodes[a].value = tree->nodes[b].value;
}

static void bind_inner(CitusTree *tree, int outer, int inner) {
    tree->implied = scope_grow(&tree->scope, tree->implied, tree->nimplied, &tree->implied_capacity,
                               sizeof(CitusImplied));
    tree->implied[tree->nimplied++] = (CitusImplied){outer, inner};
}

void citus_columns_put_out(CitusTree *tree, int inside, int outside) {
    citus_columns_union(tree, inside, outside);
    if (inside >= 0 && outside >= 0)
        bind_inner(tree, inside, outside);
}

void citus_columns_settle(CitusTree *tree) {
    bool changed = true;

    while (changed && within_budget(tree, tree->nimplied)) {
        changed = false;
        for (int i = 0; i < tree->nimplied; i++) {
            CitusNode *outer = &tree->nodes[bound_class(tree, tree->implied[i].outer)];
            CitusNode *inner = &tree->nodes[bound_class(tree, tree->implied[i].inner)];

            if (outer->value && !inner->value) {
                inner->value = outer->value;
                changed = true;
            }
        }
    }
}

const Value *citus_tree_value(CitusTree *tree, int node) {
    return tree->nodes[bound_class(tree, node)].value;
}

/* ---- names ---- */

void citus_columns_of_table(CitusTree *tree, CitusRel *rel) {
    const Table *table = rel->table;

    rel->columns = ARENA_ARRAY(tree->rw->arena, CitusColumn, table->ncolumns);
    rel->ncolumns = table->ncolumns;
    rel->open = table->ncolumns == 0;
    rel->tenant = -1;
    for (int i = 0; i < table->ncolumns; i++) {
        const Column *column = &table->columns[i];

        rel->columns[i] = (CitusColumn){column->name, citus_columns_node(tree), column->type_name};
        if (rel->kind == CITUS_REL_DISTRIBUTED && strcmp(column->name, table->tenant_column) == 0)
            rel->tenant = rel->columns[i].node;
    }
    if (rel->kind == CITUS_REL_DISTRIBUTED && rel->tenant < 0)
        rel->tenant = citus_columns_node(tree);
}

static bool find_own(const CitusRel *rel, const char *name, CitusColumn *column) {
    if (!within_budget(rel->owner->tree, rel->ncolumns + 1))
        return false;
    for (int i = 0; i < rel->ncolumns; i++) {
        if (rel->columns[i].name && strcmp(rel->columns[i].name, name) == 0) {
            *column = rel->columns[i];
            return true;
        }
    }
    /* A backfill table that has not got it yet. */
    if (rel->kind == CITUS_REL_DISTRIBUTED && strcmp(rel->table->tenant_column, name) == 0) {
        *column = (CitusColumn){rel->table->tenant_column, rel->tenant, NULL};
        return true;
    }
    return false;
}

bool citus_columns_find(const CitusRel *rel, const char *name, CitusColumn *column) {
    for (int i = rel->lo; rel->kind == CITUS_REL_ALIAS && i < rel->hi; i++) {
        if (find_own(rel->owner->rels[i], name, column))
            return true;
    }
    return find_own(rel, name, column);
}

static CitusRel *find_rel(const CitusQuery *query, const char *schema, const char *name) {
    for (int i = 0; within_budget(query->tree, 1) && i < query->nrels; i++) {
        CitusRel *rel = query->rels[i];

        if (rel->name && strcmp(rel->name, name) == 0 &&
            (!schema || (rel->schema && strcmp(rel->schema, schema) == 0)))
            return rel;
    }
    return NULL;
}

/* Among what stands in the FROM of this one query; NULL. */
static CitusRel *find_column(CitusQuery *query, const Expr *expr, CitusColumn *column) {
    CitusRel *open = NULL;

    if (expr->name.name) {
        CitusRel *rel = find_rel(query, expr->name.schema, expr->name.name);

        if (rel && expr->column)
            (void)!citus_columns_find(rel, expr->column, column);
        return rel;
    }
    for (int i = 0; i < query->nrels; i++) {
        CitusRel *rel = query->rels[i];

        if (rel->kind != CITUS_REL_ALIAS && citus_columns_find(rel, expr->column, column))
            return rel;
        open = rel->open ? rel : open;
    }
    return open ? open : find_rel(query, NULL, expr->column); /* a row as a whole */
}

static void mark_correlated(CitusQuery *query, CitusRel *rel) {
    for (CitusQuery *at = query; at && at != rel->owner; at = at->container) {
        at->correlated = true;
        at->outer = scope_grow(&at->tree->scope, at->outer, at->nouter, &at->outer_capacity, sizeof(rel));
        at->outer[at->nouter++] = rel;
    }
}

static CitusColumn look_up(CitusQuery *query, const Expr *expr, bool mark) {
    CitusColumn column = {NULL, -1, NULL};

    if (expr->kind != EXPR_COLUMN && !expr->name.name)
        return column;
    for (CitusQuery *at = query; at; at = at->parent) {
        CitusRel *rel = find_column(at, expr, &column);

        if (rel && at != query && mark)
            mark_correlated(query, rel);
        if (rel)
            break;
    }
    return column;
}

CitusColumn citus_columns_look_up(CitusQuery *query, const Expr *column) {
    return look_up(query, column, true);
}

const CitusRel *citus_tree_owner(CitusQuery *query, const Expr *column) {
    CitusColumn ignored;

    return column->kind == EXPR_COLUMN ? find_column(query, column, &ignored) : NULL;
}

CitusColumn citus_tree_column(CitusQuery *query, const Expr *column) { return look_up(query, column, false); }

static const char *column_type(const Expr *column, void *arg) { return look_up(arg, column, false).type; }

VolatilityScope citus_tree_volatility(CitusQuery *query) {
    return (VolatilityScope){query->names, column_type, query};
}

/* ---- outputs ---- */

void citus_columns_add_output(CitusQuery *query, CitusColumn column) {
    if (!within_budget(query->tree, 1))
        return;
    query->outputs = scope_grow(&query->tree->scope, query->outputs, query->noutputs, &query->output_capacity,
                                sizeof(CitusColumn));
    query->outputs[query->noutputs++] = column;
}

static void add_star(CitusQuery *query, const Expr *star) {
    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];

        if (star->name.name ? rel != find_rel(query, star->name.schema, star->name.name)
                            : rel->kind == CITUS_REL_ALIAS)
            continue;
        for (int k = 0; k < rel->ncolumns; k++)
            citus_columns_add_output(query, rel->columns[k]);
        query->outputs_open |= rel->open || rel->kind == CITUS_REL_ALIAS;
    }
}

void citus_columns_outputs(CitusQuery *query, const Target *targets, int ntargets) {
    const VolatilityScope types = citus_tree_volatility(query);

    for (int i = 0; i < ntargets; i++) {
        const Expr *expr = targets[i].expr;
        CitusColumn column = {NULL, -1, NULL};

        if (expr && expr->kind == EXPR_STAR) {
            add_star(query, expr);
            continue;
        }
        if (expr && expr->kind == EXPR_COLUMN)
            column = look_up(query, expr, false);
        else
            column.type = volatility_type(&types, expr);
        column.name = outputs_target_name(&targets[i]);
        citus_columns_add_output(query, column);
    }
}

/* ---- equalities ---- */

static int node_of(CitusQuery *query, const Expr *expr) {
    return expr->kind == EXPR_COLUMN ? look_up(query, expr, false).node : -1;
}

/* Whose column it is, among those that a condition binds: of a sub-select, those of the queries around it are
 * not; of an outer join, those of its nullable side alone are. */
static bool is_bound(const CitusCondition *condition, const Expr *expr) {
    const CitusRel *owner = citus_tree_owner(condition->query, expr);

    for (int i = condition->lo; owner && i < condition->hi && within_budget(condition->query->tree, 1); i++) {
        if (condition->query->rels[i] == owner)
            return true;
    }
    return false;
}

/* Whether what binds this other column binds what is equal to it. */
static bool binds(const CitusCondition *condition, const Expr *other) {
    return citus_tree_owner(condition->query, other) || condition->query->joined;
}

static void equate(const CitusCondition *condition, const Expr *left, const Expr *right) {
    CitusQuery *query = condition->query;
    CitusTree *tree = query->tree;
    const Value *value;
    bool bound_a, bound_b;
    int a, b;

    if (left->kind == EXPR_ROW && right->kind == EXPR_ROW) {
        for (int i = 0; i < left->nargs && i < right->nargs; i++)
            equate(condition, left->args[i], right->args[i]);
        return;
    }
    a = node_of(query, left);
    b = node_of(query, right);
    bound_a = a >= 0 && is_bound(condition, left);
    bound_b = b >= 0 && is_bound(condition, right);
    citus_columns_union(tree, a, b);
    if (bound_a && bound_b)
        bind_same(tree, a, b);
    else if (a >= 0 && b >= 0 && (bound_a || bound_b) && binds(condition, bound_a ? right : left))
        bind_inner(tree, bound_a ? b : a, bound_a ? a : b);
    if ((a < 0) == (b < 0) || !(bound_a || bound_b))
        return;
    value = scope_value(&tree->scope, a < 0 ? left : right);
    a = bound_class(tree, a < 0 ? b : a);
    if (!tree->nodes[a].value)
        tree->nodes[a].value = value;
}

/* x IN (SELECT y …): a join, unless the sub-select is correlated. */
static void equate_with_outputs(CitusQuery *query, const Expr *expr) {
    const Expr *test = expr->nargs > 0 ? expr->args[0] : NULL;
    const CitusQuery *sub = NULL;
    const bool row = test && test->kind == EXPR_ROW;

    for (int i = 0; i < query->nsubs && test && within_budget(query->tree, 1); i++) {
        if (query->subs[i]->block == expr->block)
            sub = query->subs[i];
    }
    if (!sub || sub->correlated)
        return;
    for (int i = 0; i < (row ? test->nargs : 1) && i < sub->noutputs; i++) {
        const int a = node_of(query, row ? test->args[i] : test), b = sub->outputs[i].node;

        citus_columns_union(query->tree, a, b);
        if (a >= 0 && b >= 0)
            bind_same(query->tree, a, b);
    }
}

void citus_columns_equate(const CitusCondition *condition, const Expr *expr) {
    const bool equal = expr && (!expr->op || strcmp(expr->op, "=") == 0);

    if (!expr)
        return;
    if (expr->kind == EXPR_AND) {
        for (int i = 0; i < expr->nargs; i++)
            citus_columns_equate(condition, expr->args[i]);
    } else if (expr->kind == EXPR_OP && expr->nargs == 2 && equal) {
        equate(condition, expr->args[0], expr->args[1]);
    } else if (expr->kind == EXPR_IN && !expr->negated && expr->nargs == 2) {
        equate(condition, expr->args[0], expr->args[1]);
    } else if (expr->kind == EXPR_SUBLINK && expr->sublink == SUBLINK_ANY && !expr->negated && equal) {
        equate_with_outputs(condition->query, expr);
    }
}
