/* What the shards can answer each for itself.
 *
 * A sub-select that refers to the query around it is run for each row of that, so that in it LIMIT and
 * aggregates mean what they say; one that does not would need the rows of all shards for them. */
#include <stdlib.h>
#include <string.h>

#include "rewrite/citus_plan.h"
#include "rewrite/functions.h"
#include "rewrite/walk.h"

/* citus.values_materialization_threshold */
#define MAX_VALUES 100

/* ---- relations ---- */

bool citus_pushdown_is_distributed(const CitusRel *rel) { return rel->kind == CITUS_REL_DISTRIBUTED; }
bool citus_pushdown_is_local(const CitusRel *rel) { return rel->kind == CITUS_REL_LOCAL; }

static bool any_own(const CitusQuery *query, CitusRelTest *test) {
    for (int i = 0; i < query->nrels; i++) {
        if (!query->rels[i]->result && test(query->rels[i]))
            return true;
    }
    return false;
}

bool citus_pushdown_any(const CitusQuery *query, CitusRelTest *test) {
    if (query->result)
        return false;
    for (int i = 0; i < query->nsubs; i++) {
        if (citus_pushdown_any(query->subs[i], test))
            return true;
    }
    for (int i = 0; i < query->nctes; i++) {
        if (citus_pushdown_any(query->ctes[i], test))
            return true;
    }
    return any_own(query, test);
}

bool citus_pushdown_any_from(const CitusQuery *query, CitusRelTest *test) {
    for (int i = 0; i < query->nsubs; i++) {
        const CitusQuery *sub = query->subs[i];

        if ((sub->place == CITUS_PLACE_FROM || sub->place == CITUS_PLACE_ARM) &&
            citus_pushdown_any(sub, test))
            return true;
    }
    return any_own(query, test);
}

/* ---- joined on their tenants ---- */

/* Two columns that are bound to the same value are equal, too. */
static bool is_same(CitusTree *tree, int a, int b, bool by_value) {
    const Value *left, *right;
    ValueList one = {0};

    if (a < 0 || citus_tree_class(tree, a) == citus_tree_class(tree, b))
        return true;
    if (!by_value)
        return false;
    left = citus_tree_value(tree, a);
    right = citus_tree_value(tree, b);
    if (!left || !right)
        return false;
    scope_add_value(&tree->scope, &one, left);
    return scope_has_value(&tree->scope, &one, right);
}

static bool keys_are(const CitusQuery *query, int *first, bool by_value) {
    CitusTree *tree = query->tree;

    if (query->result)
        return true;
    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];

        if (rel->result || rel->kind != CITUS_REL_DISTRIBUTED)
            continue;
        if (!is_same(tree, *first, rel->tenant, by_value))
            return false;
        *first = rel->tenant;
    }
    for (int i = 0; i < query->nsubs; i++) {
        if (!keys_are(query->subs[i], first, by_value))
            return false;
    }
    return true;
}

bool citus_pushdown_keys_equal(const CitusQuery *query) {
    int first = -1;

    return !citus_pushdown_any(query, citus_pushdown_is_local) && keys_are(query, &first, true);
}

bool citus_pushdown_arms_equal(const CitusQuery *query) {
    int first = -1;

    return !citus_pushdown_any(query, citus_pushdown_is_local) && keys_are(query, &first, false);
}

/* ---- merge steps ---- */

static bool has_tenant_node(const CitusQuery *query, int node) {
    for (int i = 0; i < query->nrels; i++) {
        if (query->rels[i]->kind == CITUS_REL_DISTRIBUTED && query->rels[i]->tenant == node)
            return true;
    }
    for (int i = 0; i < query->nsubs; i++) {
        if (has_tenant_node(query->subs[i], node))
            return true;
    }
    return false;
}

/* GROUP BY 1, GROUP BY alias. */
static const Expr *meant(const Block *block, const Expr *expr) {
    if (expr->kind == EXPR_CONST && expr->const_type == CONST_INTEGER && expr->value) {
        int position = atoi(expr->value);

        return position > 0 && position <= block->ntargets ? block->targets[position - 1].expr : expr;
    }
    return expr;
}

static const Expr *aliased(const Block *block, const Expr *expr) {
    for (int i = 0; i < block->ntargets && !expr->name.name && expr->column; i++) {
        if (block->targets[i].name && strcmp(block->targets[i].name, expr->column) == 0)
            return block->targets[i].expr;
    }
    return expr;
}

/* Whether the tenant is one of them; where there is no tenant table in FROM, all do. */
static bool has_tenant(CitusQuery *query, Expr *const *exprs, int n) {
    if (!citus_pushdown_any_from(query, citus_pushdown_is_distributed))
        return true;
    for (int i = 0; i < n; i++) {
        const Expr *expr = exprs[i] ? meant(query->block, exprs[i]) : NULL;
        int node;

        if (!expr || expr->kind != EXPR_COLUMN)
            continue;
        node = citus_tree_column(query, expr).node;
        expr = aliased(query->block, expr);
        if (node < 0 && expr->kind == EXPR_COLUMN)
            node = citus_tree_column(query, expr).node;
        if (node >= 0 && has_tenant_node(query, node))
            return true;
    }
    return false;
}

static bool distinct_on_tenant(CitusQuery *query) {
    const Block *block = query->block;

    if (block->ndistinct_on > 0)
        return has_tenant(query, block->distinct_on, block->ndistinct_on);
    for (int i = 0; i < query->noutputs; i++) {
        if (query->outputs[i].node >= 0 && has_tenant_node(query, query->outputs[i].node))
            return true;
    }
    return !citus_pushdown_any_from(query, citus_pushdown_is_distributed);
}

typedef struct Calls {
    CitusQuery *query;
    bool aggregate, window;
    bool unpartitioned; /* a window that is not partitioned by the tenant */
} Calls;

static const Window *named_window(const Block *block, const char *name) {
    for (int i = 0; i < block->nnamed_windows && name; i++) {
        if (block->named_windows[i]->name && strcmp(block->named_windows[i]->name, name) == 0)
            return block->named_windows[i];
    }
    return NULL;
}

static bool is_partitioned(CitusQuery *query, const Window *window) {
    for (int i = 0; window && i <= query->block->nnamed_windows; i++) {
        if (window->npartition > 0)
            return has_tenant(query, window->partition, window->npartition);
        window = named_window(query->block, window->base ? window->base : window->name);
    }
    return false;
}

static bool on_call(const Expr *expr, void *arg) {
    Calls *calls = arg;

    if (expr->kind == EXPR_FUNC && expr->is_window) {
        calls->window = true;
        calls->unpartitioned |= !is_partitioned(calls->query, expr->window);
    } else if (expr->kind == EXPR_FUNC && expr->name.name) {
        calls->aggregate |= expr->agg_star || expr->agg_distinct ||
                            (names_in_catalog(calls->query->names, &expr->name) &&
                             function_kind(expr->name.name) == FUNCTION_AGGREGATE);
    }
    return expr->kind != EXPR_SUBLINK;
}

static Calls calls_of(CitusQuery *query) {
    const Block *block = query->block;
    Calls calls = {.query = query};
    const Walk walk = {.expr = on_call, .arg = &calls};

    for (int i = 0; i < block->ntargets; i++)
        walk_expr(block->targets[i].expr, NULL, &walk);
    for (int i = 0; i < block->norder_by; i++)
        walk_expr(block->order_by[i], NULL, &walk);
    walk_expr(block->having, NULL, &walk);
    return calls;
}

const char *citus_pushdown_merge_error(CitusQuery *sub) {
    const Block *block = sub->block;
    const bool grouped = block->ngroup_by > 0 || block->group_distinct_or_sets;
    Calls calls;
    bool needs = block->limit || block->offset;

    if (block->kind != BLOCK_SELECT)
        return needs ? "cannot push down this subquery" : NULL;
    calls = calls_of(sub);
    needs |= grouped && !has_tenant(sub, block->group_by, block->ngroup_by);
    needs |= !grouped && (calls.aggregate || block->having);
    needs |= calls.window && calls.unpartitioned;
    needs |= block->distinct && !distinct_on_tenant(sub);
    return needs ? "cannot push down this subquery" : NULL;
}

/* ---- FROM ---- */

static const char *recurring(const CitusRel *rel) {
    switch (rel->kind) {
    case CITUS_REL_REFERENCE:
        return "a reference table";
    case CITUS_REL_FUNCTION:
        return "a set returning function";
    case CITUS_REL_VALUES:
        return "VALUES";
    case CITUS_REL_QUERY:
        return !rel->query || rel->query->result || rel->query->nrels > 0 ? "a CTE or subquery"
                                                                          : "a subquery without FROM";
    default:
        return "a CTE or subquery";
    }
}

const char *citus_pushdown_recurring_error(const CitusQuery *query) {
    const char *what = query->nrels == 0 ? "a subquery without FROM" : NULL;

    if (!query->sublinks || query->block->kind != BLOCK_SELECT ||
        citus_pushdown_any_from(query, citus_pushdown_is_distributed))
        return NULL;
    for (int i = 0; i < query->nrels && !what; i++) {
        if (query->rels[i]->kind != CITUS_REL_LOCAL || query->rels[i]->result)
            what = recurring(query->rels[i]);
    }
    return what ? arena_printf(query->tree->rw->arena,
                               "correlated subqueries are not supported when the FROM clause contains %s",
                               what)
                : NULL;
}

static bool only_unions(const Block *block) {
    if (block->kind != BLOCK_SETOP)
        return true;
    return block->setop == SETOP_UNION && only_unions(block->left) && only_unions(block->right);
}

const char *citus_pushdown_setop_error(const CitusQuery *query) {
    bool fits = only_unions(query->block);

    for (int i = 0; i < query->nsubs && fits; i++) {
        if (query->subs[i]->place == CITUS_PLACE_ARM)
            fits = !query->subs[i]->result &&
                   citus_pushdown_any_from(query->subs[i], citus_pushdown_is_distributed);
    }
    return fits ? NULL : "cannot push down this subquery";
}

static bool is_mutable_item(CitusQuery *query, const CitusRel *rel) {
    const VolatilityScope scope = citus_tree_volatility(query);

    for (int i = 0; rel->kind == CITUS_REL_FUNCTION && i < rel->item->nexprs; i++) {
        if (volatility_exceeds(&scope, rel->item->exprs[i], VOLATILITY_IMMUTABLE))
            return true;
    }
    for (int i = 0; rel->kind == CITUS_REL_VALUES && i < rel->item->block->nrows; i++) {
        for (int k = 0; k < rel->item->block->rows[i].ncells; k++) {
            if (volatility_exceeds(&scope, rel->item->block->rows[i].cells[k].expr, VOLATILITY_IMMUTABLE))
                return true;
        }
    }
    return false;
}

static bool has_odd_item(CitusQuery *query) {
    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];

        if (rel->kind == CITUS_REL_OTHER || is_mutable_item(query, rel) ||
            (rel->kind == CITUS_REL_VALUES && rel->item->block->nrows > MAX_VALUES))
            return true;
    }
    return false;
}

static bool has_mutable_targets(CitusQuery *query) {
    const VolatilityScope scope = citus_tree_volatility(query);

    for (int i = 0; i < query->block->ntargets; i++) {
        if (volatility_exceeds(&scope, query->block->targets[i].expr, VOLATILITY_IMMUTABLE))
            return true;
    }
    return false;
}

const char *citus_pushdown_error(CitusQuery *sub) {
    const Block *block = sub->block;
    const char *error = NULL;

    if (has_odd_item(sub) || block->locking || block->group_distinct_or_sets || block->recursive ||
        (sub->nrels == 0 && block->kind == BLOCK_SELECT && has_mutable_targets(sub)))
        error = "cannot push down this subquery";
    if (!error && !sub->correlated)
        error = citus_pushdown_merge_error(sub);
    if (!error && block->kind == BLOCK_SETOP)
        error = citus_pushdown_setop_error(sub);
    return error ? error : citus_pushdown_recurring_error(sub);
}
