/* UPDATE and DELETE: which functions may be called where, and how they are planned.
 *
 * Citus computes on the coordinator, once, what does not depend on the row, and sends the result; so a value
 * may not be volatile, and what is stable may not depend on a column. It cannot do so inside CASE and
 * COALESCE, which do not evaluate all their arguments. */
#include "rewrite/citus_write.h"

#include <string.h>

#include "rewrite/insert_default.h"
#include "rewrite/survey.h"
#include "rewrite/walk.h"

static bool is_citus(const CitusRel *rel) {
    return rel->kind == CITUS_REL_DISTRIBUTED || rel->kind == CITUS_REL_REFERENCE;
}

bool citus_write_concerns(const CitusQuery *query) { return citus_pushdown_any(query, is_citus); }

/* ---- volatility ---- */

static bool default_exceeds(CitusQuery *query, const Column *column, Volatility at_most) {
    const VolatilityScope scope = citus_tree_volatility(query);
    InsertDefault made;

    if (column->identity)
        return at_most < VOLATILITY_VOLATILE;
    made = insert_default(query->tree->rw, column);
    return made.expr && volatility_exceeds(&scope, made.expr, at_most);
}

bool citus_write_exceeds(CitusQuery *query, const Expr *expr, const Column *column, Volatility at_most) {
    const VolatilityScope scope = citus_tree_volatility(query);

    if (!expr)
        return false;
    if (expr->kind == EXPR_DEFAULT)
        return column && default_exceeds(query, column, at_most);
    return volatility_exceeds(&scope, expr, at_most) ||
           (column && volatility_of_cast(volatility_type(&scope, expr), column->type_name) > at_most);
}

const char *citus_write_returning_error(CitusQuery *query) {
    const Block *block = query->block;

    for (int i = 0; i < block->nreturning; i++) {
        if (citus_write_exceeds(query, block->returning[i].expr, NULL, VOLATILITY_IMMUTABLE))
            return "non-IMMUTABLE functions are not allowed in the RETURNING clause";
    }
    return NULL;
}

/* What the coordinator cannot compute. */
typedef struct Irreducible {
    const VolatilityScope *scope;
    bool lazy;   /* something mutable in CASE or COALESCE */
    bool column; /* a column */
    bool stable; /* something stable that depends on a column */
} Irreducible;

static void reduce(Irreducible *state, const Expr *expr) {
    const bool coalesce = expr->kind == EXPR_COALESCE && expr->op && strcmp(expr->op, "coalesce") == 0;
    Irreducible inside = {.scope = state->scope};

    if (coalesce || expr->kind == EXPR_CASE) {
        state->lazy |= volatility_exceeds(state->scope, expr, VOLATILITY_IMMUTABLE);
        return;
    }
    for (int i = 0; i < expr->nargs; i++) {
        if (expr->args[i])
            reduce(&inside, expr->args[i]);
    }
    inside.column |= expr->kind == EXPR_COLUMN;
    if (volatility_own(state->scope, expr) == VOLATILITY_STABLE) {
        inside.stable |= inside.column;
        inside.column = false;
    }
    state->lazy |= inside.lazy;
    state->column |= inside.column;
    state->stable |= inside.stable;
}

static const char *irreducible_error(CitusQuery *query, const Expr *expr, const Column *column) {
    const VolatilityScope scope = citus_tree_volatility(query);
    Irreducible state = {.scope = &scope};

    reduce(&state, expr);
    if (column && state.column &&
        volatility_of_cast(volatility_type(&scope, expr), column->type_name) == VOLATILITY_STABLE)
        state.stable = true;
    if (state.stable)
        return "STABLE functions used in UPDATE queries cannot be called with column references";
    return state.lazy ? "non-IMMUTABLE functions are not allowed in CASE or COALESCE statements" : NULL;
}

/* ---- SET ---- */

bool citus_write_keeps_tenant(CitusQuery *query, const Expr *expr) {
    CitusTree *tree = query->tree;
    const int tenant = query->rels[0]->tenant;
    const Value *value, *own;
    ValueList one = {0};

    if (expr->kind == EXPR_COLUMN) {
        const int node = citus_tree_column(query, expr).node;

        return node >= 0 && citus_tree_class(tree, node) == citus_tree_class(tree, tenant);
    }
    /* A parameter is looked at as such where a statement is routed without being planned. */
    if (expr->kind == EXPR_PARAM && query->nrels == 1 && query->nsubs == 0 && query->nctes == 0)
        return false;
    value = scope_value(&tree->scope, expr);
    own = citus_tree_value(tree, tenant);
    if (!value || !own)
        return false;
    scope_add_value(&tree->scope, &one, own);
    return scope_has_value(&tree->scope, &one, value);
}

static const char *set_error(CitusQuery *query) {
    const Block *block = query->block;
    const CitusRel *target = query->rels[0];
    const char *error = NULL;

    for (int i = 0; i < block->ntargets && !error && block->kind == BLOCK_UPDATE; i++) {
        const Target *set = &block->targets[i];
        const Column *column = target->table && set->name ? table_column(target->table, set->name) : NULL;

        if (!set->expr)
            continue;
        if (citus_write_exceeds(query, set->expr, column, VOLATILITY_STABLE))
            return "functions used in UPDATE queries on distributed tables must not be VOLATILE";
        if (target->kind == CITUS_REL_DISTRIBUTED && set->name &&
            strcmp(set->name, target->table->tenant_column) == 0 &&
            !citus_write_keeps_tenant(query, set->expr))
            return "modifying the partition value of rows is not allowed";
        error = irreducible_error(query, set->expr, column);
    }
    return error;
}

static const char *where_error(CitusQuery *query) {
    const Expr *where = query->block->where;

    if (!where)
        return NULL;
    if (where->kind == EXPR_CURRENT_OF)
        return "cannot run DML queries with cursors";
    if (citus_write_exceeds(query, where, NULL, VOLATILITY_STABLE))
        return "functions used in the WHERE/ON/WHEN clause of modification queries on distributed tables "
               "must "
               "not be VOLATILE";
    return irreducible_error(query, where, NULL);
}

/* ---- planning ---- */

typedef struct Search {
    CitusQuery *query;
    bool found;
} Search;

static void look_for_volatile(const Expr *expr, void *arg) {
    Search *search = arg;
    const VolatilityScope scope = citus_tree_volatility(search->query);

    search->found |= volatility_exceeds(&scope, expr, VOLATILITY_STABLE);
}

/* In the sub-selects that are left. */
static bool has_volatile(const CitusQuery *query) {
    for (int i = 0; i < query->nsubs; i++) {
        Search search = {query->subs[i], false};

        if (query->subs[i]->result)
            continue;
        walk_own_exprs(query->subs[i]->block, look_for_volatile, &search);
        if (search.found || has_volatile(query->subs[i]))
            return true;
    }
    return false;
}

static bool has_local_item(const CitusQuery *query) {
    for (int i = 1; i < query->nrels; i++) {
        if (query->rels[i]->kind == CITUS_REL_LOCAL)
            return true;
    }
    return false;
}

static const char *local_error(const CitusQuery *query) {
    return citus_plan_is_local(query) ? "direct joins between distributed and local tables are not supported"
                                      : NULL;
}

static const char *reference_error(CitusQuery *query) {
    static const char *const selects = "cannot perform select on a distributed table and modify a reference "
                                       "table";
    const char *error;

    if (has_local_item(query))
        return "direct joins between distributed and local tables are not supported";
    if (citus_plan_is_distributed(query) && citus_plan_is_routed(query))
        return selects;
    error = citus_plan_parts(query);
    if (!error && citus_plan_is_distributed(query))
        return citus_plan_is_routed(query)
                   ? selects
                   : "only reference tables may be queried when targeting a reference table with multi shard "
                     "UPDATE/DELETE queries with multiple tables";
    return error ? error : local_error(query);
}

/* What is left beside the target must be intermediate results. */
static const char *local_target_error(CitusQuery *query) {
    const char *error = citus_plan_parts(query);

    return error || !citus_pushdown_any(query, is_citus)
               ? error
               : "direct joins between distributed and local tables are not supported";
}

static bool on_ctid(const Expr *expr, void *arg) {
    bool *found = arg;

    *found |= expr->kind == EXPR_COLUMN && expr->column && strcmp(expr->column, "ctid") == 0;
    return expr->kind != EXPR_SUBLINK || expr->nargs > 0;
}

static bool any_result(const CitusQuery *query) {
    for (int i = 0; i < query->nsubs; i++) {
        if (query->subs[i]->result || any_result(query->subs[i]))
            return true;
    }
    return false;
}

static bool is_merged_fully(const FromItem *item) {
    return item->kind == FROM_JOIN &&
           ((item->join == JOIN_TYPE_FULL && !item->alias && (item->nusing > 0 || item->natural)) ||
            is_merged_fully(item->left) || is_merged_fully(item->right));
}

static const char *shape_error(const CitusQuery *query) {
    bool ctid = false;

    walk_expr(query->block->where, NULL, &(Walk){.expr = on_ctid, .arg = &ctid});
    if (ctid && any_result(query))
        return "cannot perform distributed planning for the given modification";
    for (int i = 0; i < query->block->nfrom; i++) {
        if (!citus_plan_is_routed(query) && is_merged_fully(query->block->from[i]))
            return "a join with USING causes an internal naming conflict, use ON instead";
    }
    return NULL;
}

/* A local table that is read for each row: beside a tenant table it is not read ahead, as it is in a SELECT.
 */
static const char *local_in_sub(const CitusQuery *query) {
    const char *name = NULL;

    for (int i = 0; i < query->nsubs && !name; i++) {
        const CitusQuery *sub = query->subs[i];

        if (sub->result || !sub->correlated)
            continue;
        for (int k = 0; k < sub->nrels && !name; k++)
            name = sub->rels[k]->kind == CITUS_REL_LOCAL && sub->rels[k]->table ? sub->rels[k]->table->name
                                                                                : NULL;
        name = name ? name : local_in_sub(sub);
    }
    return name;
}

static const char *sub_error(CitusQuery *query) {
    const char *name = local_in_sub(query);

    return name ? arena_printf(query->tree->rw->arena, "relation %s is not distributed",
                               rewrite_quoted(query->tree->rw, name))
                : NULL;
}

static const char *distributed_error(CitusQuery *query) {
    const bool routed = !citus_plan_is_local(query) && citus_plan_is_routed(query);
    const char *error = citus_plan_writes(query);

    if (error || (routed && !has_volatile(query)))
        return error;
    error = citus_plan_parts(query);
    if (!error)
        error = shape_error(query);
    if (!error && has_volatile(query))
        error = "functions used in UPDATE queries on distributed tables must not be VOLATILE";
    if (!error)
        error = local_error(query);
    if (!error)
        error = sub_error(query);
    return error || citus_plan_is_routed(query) ? error : citus_plan_pushdown_error(query);
}

static const char *found_rows_error(CitusQuery *query) {
    const CitusRel *target = query->rels[0];
    const char *error = set_error(query);

    if (!error)
        error = where_error(query);
    if (!error)
        error = citus_write_returning_error(query);
    if (error)
        return error;
    if (target->kind == CITUS_REL_REFERENCE)
        return reference_error(query);
    return target->kind == CITUS_REL_DISTRIBUTED ? distributed_error(query) : local_target_error(query);
}

const char *citus_write_error(CitusQuery *query) {
    const Table *target = query->nrels > 0 ? query->rels[0]->table : NULL;

    if (target && target->relkind == 'v' && !query->block->source) {
        const TableSet *named = &query->tree->rw->survey->named;

        for (int i = 0; i < named->n; i++) {
            if (named->tables[i]->kind != KIND_LOCAL)
                return "cannot modify views when the query contains citus tables";
        }
    }
    if (!citus_write_concerns(query))
        return NULL;
    if (query->block->kind == BLOCK_INSERT)
        return citus_write_insert_error(query);
    return query->block->kind == BLOCK_MERGE ? citus_write_merge_error(query) : found_rows_error(query);
}
