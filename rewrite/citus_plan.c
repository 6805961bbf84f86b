/* Taking a query apart, as Citus's recursive planner does, and what it says of the rest.
 *
 * For each query, from the inside out: CTEs; sub-selects that the shards cannot answer; arms of set
 * operations; sub-selects in HAVING; sub-selects that are not joined on the tenant; local tables beside Citus
 * ones; tenant tables on the nullable side of a join whose other side has none; and where there is no tenant
 * table in FROM, all other sub-selects. What refers to a query around it cannot be planned by itself and
 * stays where it is. */
#include "rewrite/citus_plan.h"

#include <string.h>

#include "rewrite/walk.h"

bool citus_plan_is_distributed(const CitusQuery *query) {
    return citus_pushdown_any(query, citus_pushdown_is_distributed);
}

bool citus_plan_is_local(const CitusQuery *query) {
    return citus_pushdown_any(query, citus_pushdown_is_local);
}

static bool is_bound(const CitusQuery *query, ValueList *value) {
    CitusTree *tree = query->tree;

    if (query->result)
        return true;
    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];
        const Value *own;

        if (rel->result || rel->kind != CITUS_REL_DISTRIBUTED)
            continue;
        own = citus_tree_value(tree, rel->tenant);
        if (!own || (value->n > 0 && !scope_has_value(&tree->scope, value, own)))
            return false;
        scope_add_value(&tree->scope, value, own);
    }
    for (int i = 0; i < query->nsubs; i++) {
        if (!is_bound(query->subs[i], value))
            return false;
    }
    for (int i = 0; i < query->nctes; i++) {
        if (!is_bound(query->ctes[i], value))
            return false;
    }
    return true;
}

bool citus_plan_is_routed(const CitusQuery *query) {
    ValueList value = {0};

    return is_bound(query, &value);
}

/* ---- taking apart ---- */

typedef struct Plan {
    bool keys_equal; /* of the whole query, before anything is taken out of it */
    bool top;        /* the query is not one in another */
    CitusOuter outer;
} Plan;

const char *citus_plan_take_out(CitusQuery *sub) {
    const char *error;

    if (sub->correlated || sub->result)
        return NULL;
    error = sub->block->kind <= BLOCK_VALUES ? citus_plan_query(sub) : citus_write_error(sub);
    sub->result = true;
    return error;
}

static const char *take_out_ctes(CitusQuery *query) {
    const char *error = NULL;

    if (query->nctes > 0 && query->block->recursive)
        return "recursive CTEs are only supported when they contain a filter on the distribution column";
    for (int i = 0; i < query->nctes && !error; i++) {
        if (query->ctes[i]->correlated)
            error = "CTEs that refer to other subqueries are not supported in multi-shard queries";
        else
            error = citus_plan_take_out(query->ctes[i]);
    }
    return error;
}

static const char *take_apart(CitusQuery *query, Plan plan);

static bool is_local_from(const CitusQuery *query) {
    return citus_pushdown_any_from(query, citus_pushdown_is_local);
}

static bool must_come_out(CitusQuery *sub, Plan plan) {
    if (is_local_from(sub) || citus_pushdown_error(sub))
        return true;
    return !plan.keys_equal && !citus_pushdown_keys_equal(sub);
}

static const char *take_out_subs(CitusQuery *query, Plan plan) {
    const char *error = NULL;

    plan.top = false;
    for (int i = 0; i < query->nsubs && !error; i++) {
        CitusQuery *sub = query->subs[i];

        if (sub->result)
            continue;
        error = take_apart(sub, plan);
        if (!error && must_come_out(sub, plan))
            error = citus_plan_take_out(sub);
    }
    return error;
}

static const char *take_out_arms(CitusQuery *query, Plan plan) {
    const char *error = NULL;

    if (query->block->kind != BLOCK_SETOP)
        return NULL;
    if (!plan.top && !citus_pushdown_setop_error(query) && citus_pushdown_arms_equal(query))
        return NULL;
    for (int i = 0; i < query->nsubs && !error; i++) {
        if (query->subs[i]->place == CITUS_PLACE_ARM && citus_plan_is_distributed(query->subs[i]))
            error = citus_plan_take_out(query->subs[i]);
    }
    return error;
}

static bool is_citus(const CitusRel *rel) {
    return rel->kind == CITUS_REL_DISTRIBUTED || rel->kind == CITUS_REL_REFERENCE;
}

static const char *take_out_having(CitusQuery *query) {
    const char *error = NULL;

    for (int i = 0; i < query->nsubs && !error; i++) {
        if (query->subs[i]->place != CITUS_PLACE_HAVING)
            continue;
        if (query->subs[i]->correlated)
            error = "Subqueries in HAVING cannot refer to outer query";
        else if (citus_pushdown_any(query->subs[i], is_citus))
            error = citus_plan_take_out(query->subs[i]);
    }
    return error;
}

/* ---- joined on something else than the tenant ---- */

static bool has_subquery(const CitusQuery *query) {
    for (int i = 0; i < query->nsubs; i++) {
        const CitusPlace place = query->subs[i]->place;

        if (place == CITUS_PLACE_FROM || place == CITUS_PLACE_WHERE || place == CITUS_PLACE_ON ||
            place == CITUS_PLACE_HAVING)
            return true;
    }
    return false;
}

static bool has_union(const CitusQuery *query) {
    return query->block->kind == BLOCK_SETOP ||
           (query->nrels == 1 && query->rels[0]->query && has_union(query->rels[0]->query));
}

/* The class of the tenant of the relation that all others are measured by; -1 if there is none. */
static int anchor_of(CitusQuery *query, const CitusQuery **sub) {
    *sub = NULL;
    for (int i = 0; i < query->nrels; i++) {
        CitusRel *rel = query->rels[i];

        if (rel->kind == CITUS_REL_DISTRIBUTED && !rel->result)
            return citus_tree_class(query->tree, rel->tenant);
    }
    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];

        if (rel->kind == CITUS_REL_QUERY && rel->query && !rel->query->result && !has_union(rel->query) &&
            citus_plan_is_distributed(rel->query)) {
            *sub = rel->query;
            break;
        }
    }
    return -1;
}

static int any_class(const CitusQuery *query) {
    for (int i = 0; i < query->nrels; i++) {
        if (query->rels[i]->kind == CITUS_REL_DISTRIBUTED && !query->rels[i]->result)
            return citus_tree_class(query->tree, query->rels[i]->tenant);
    }
    for (int i = 0; i < query->nsubs; i++) {
        int class = query->subs[i]->result ? -1 : any_class(query->subs[i]);

        if (class >= 0)
            return class;
    }
    return -1;
}

static bool is_colocated(const CitusQuery *sub, int anchor) {
    int class = any_class(sub);

    return class < 0 || (class == anchor && citus_pushdown_keys_equal(sub));
}

static const char *take_out_others(CitusQuery *query, Plan plan) {
    static const CitusPlace places[] = {CITUS_PLACE_FROM, CITUS_PLACE_WHERE};
    const CitusQuery *anchor_sub;
    const char *error = NULL;
    int anchor;

    if (plan.keys_equal || !has_subquery(query) || is_local_from(query) || citus_pushdown_keys_equal(query))
        return NULL;
    anchor = anchor_of(query, &anchor_sub);
    if (anchor < 0 && !anchor_sub)
        return NULL;
    anchor = anchor_sub ? any_class(anchor_sub) : anchor;
    for (size_t k = 0; k < ARRAY_LEN(places); k++) {
        for (int i = 0; i < query->nsubs && !error; i++) {
            CitusQuery *sub = query->subs[i];

            if (sub->place == places[k] && sub != anchor_sub && !sub->result && !is_colocated(sub, anchor))
                error = citus_plan_take_out(sub);
        }
    }
    return error;
}

/* ---- the rest ---- */

/* Beside a Citus table a local one is read first; the target of a write cannot be, so there it is the others.
 */
static void take_out_local(CitusQuery *query) {
    const CitusRel *target = query->block->target && query->nrels > 0 ? query->rels[0] : NULL;
    const bool local_target = target && target->kind == CITUS_REL_LOCAL;

    if (!citus_pushdown_any_from(query, is_citus))
        return;
    for (int i = 0; i < query->nrels; i++) {
        CitusRel *rel = query->rels[i];

        if (rel != target && (local_target ? is_citus(rel) : rel->kind == CITUS_REL_LOCAL))
            rel->result = true;
    }
}

/* Where FROM gives the same rows on each shard, no other sub-select may depend on the shard. */
static const char *take_out_beside(CitusQuery *query) {
    const char *error = NULL;

    if (citus_pushdown_any_from(query, citus_pushdown_is_distributed))
        return NULL;
    for (int i = 0; i < query->nsubs && !error; i++) {
        const CitusPlace place = query->subs[i]->place;

        if ((place == CITUS_PLACE_WHERE || place == CITUS_PLACE_TARGET || place == CITUS_PLACE_OTHER) &&
            citus_pushdown_any(query->subs[i], is_citus))
            error = citus_plan_take_out(query->subs[i]);
    }
    return error;
}

static const char *take_apart(CitusQuery *query, Plan plan) {
    const char *error = take_out_ctes(query);

    if (!error)
        error = take_out_subs(query, plan);
    if (!error)
        error = take_out_arms(query, plan);
    if (!error)
        error = take_out_having(query);
    if (!error)
        error = take_out_others(query, plan);
    if (!error)
        take_out_local(query);
    if (!error)
        error = citus_outer_error(query, plan.outer);
    if (!error && plan.outer.seen)
        error = citus_outer_take_out(query);
    return error ? error : take_out_beside(query);
}

const char *citus_plan_parts(CitusQuery *query) {
    const Plan plan = {.keys_equal = query->nctes == 0 && citus_pushdown_keys_equal(query),
                       .top = true,
                       .outer = citus_outer_look(query)};

    return take_apart(query, plan);
}

/* ---- what is left ---- */

static const CitusRel *recurring_outer(const CitusQuery *query, const CitusQuery *sub) {
    for (int i = 0; i < sub->nouter; i++) {
        const CitusRel *rel = sub->outer[i];

        if (rel->owner == query && (rel->result || rel->kind != CITUS_REL_DISTRIBUTED) &&
            !(rel->kind == CITUS_REL_QUERY && rel->query && citus_plan_is_distributed(rel->query)))
            return rel;
    }
    return NULL;
}

/* A sub-select that is run for each row of what is the same on all shards, and whose rows must be put
 * together. */
static const char *lateral_error(CitusQuery *query) {
    const char *error = NULL;

    for (int i = 0; i < query->nrels && !error; i++) {
        const CitusRel *rel = query->rels[i];

        if (citus_outer_is_lateral(rel) && !rel->query->result && citus_plan_is_distributed(rel->query) &&
            recurring_outer(query, rel->query) && !citus_outer_is_nullable(query, rel->item))
            error = citus_pushdown_merge_error(rel->query);
    }
    return error ? error : citus_outer_lateral_error(query);
}

static const char *subs_error(CitusQuery *query) {
    const char *error = NULL;

    for (int i = 0; i < query->nsubs && !error; i++) {
        CitusQuery *sub = query->subs[i];

        if (sub->result)
            continue;
        error = citus_pushdown_error(sub);
        if (!error)
            error = lateral_error(sub);
        if (!error)
            error = subs_error(sub);
    }
    return error;
}

const char *citus_plan_pushdown_error(CitusQuery *query) {
    const char *error = NULL;

    if (!citus_pushdown_keys_equal(query))
        return "complex joins are only supported when all distributed tables are co-located and joined on "
               "their distribution columns";
    error = citus_pushdown_recurring_error(query);
    if (!error)
        error = lateral_error(query);
    return error ? error : subs_error(query);
}

/* Whether Citus plans it as one query for each shard, not as a join of tables in some order: only the words
 * of what it says differ. */
static bool is_pushed_down(const CitusQuery *query) {
    for (int i = 0; i < query->nsubs; i++) {
        const CitusQuery *sub = query->subs[i];

        if (sub->result || sub->place != CITUS_PLACE_FROM || !scope_is_simple(sub->names, sub->block) ||
            is_pushed_down(sub))
            return true;
    }
    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];

        if (rel->result || rel->kind == CITUS_REL_CTE || rel->kind == CITUS_REL_FUNCTION ||
            rel->kind == CITUS_REL_VALUES)
            return true;
    }
    return citus_outer_has_join(query);
}

typedef struct Joins {
    bool equal, other; /* conditions on columns of two tenant tables */
} Joins;

static bool on_join(const Expr *expr, void *arg) {
    Joins *joins = arg;

    if (expr->kind == EXPR_OP && expr->nargs == 2 && expr->op && expr->args[0]->kind == EXPR_COLUMN &&
        expr->args[1]->kind == EXPR_COLUMN)
        joins->equal |= strcmp(expr->op, "=") == 0;
    joins->other |= expr->kind == EXPR_OP;
    return expr->kind == EXPR_AND || expr->kind == EXPR_OP || expr->kind == EXPR_ROW;
}

static void look_at_join(Joins *joins, const FromItem *item) {
    if (item->kind != FROM_JOIN)
        return;
    joins->equal |= item->nusing > 0 || item->natural;
    walk_expr(item->quals, NULL, &(Walk){.expr = on_join, .arg = joins});
    look_at_join(joins, item->left);
    look_at_join(joins, item->right);
}

static void look_at_joins(Joins *joins, CitusQuery *query) {
    for (int i = 0; i < query->block->nfrom; i++)
        look_at_join(joins, query->block->from[i]);
    walk_expr(query->block->where, NULL, &(Walk){.expr = on_join, .arg = joins});
    for (int i = 0; i < query->nsubs; i++)
        look_at_joins(joins, query->subs[i]);
}

static const char *join_error(CitusQuery *query) {
    Joins joins = {false, false};

    if (citus_pushdown_keys_equal(query))
        return NULL;
    look_at_joins(&joins, query);
    if (joins.equal)
        return "the query contains a join that requires repartitioning";
    return joins.other
               ? "complex joins are only supported when all distributed tables are joined on their "
                 "distribution columns with equal operator"
               : "cannot perform distributed planning on this query: Cartesian products are currently "
                 "unsupported";
}

/* ---- all of it ---- */

const char *citus_plan_writes(CitusQuery *query) {
    const char *error = NULL;

    for (int i = 0; i < query->nctes && !error; i++) {
        if (query->ctes[i]->block->kind > BLOCK_VALUES && !query->ctes[i]->result)
            error = citus_write_error(query->ctes[i]);
    }
    return error;
}

const char *citus_plan_query(CitusQuery *query) {
    /* Of the whole statement the verdict knows more than is seen here. */
    const bool multi =
        query->place == CITUS_PLACE_TOP && query->tree->rw->decision->verdict == VERDICT_MULTI_TENANT;
    const bool routed = !multi && !citus_plan_is_local(query) && citus_plan_is_routed(query);
    const char *error = citus_plan_writes(query);

    if (error || routed || !citus_plan_is_distributed(query))
        return error;
    error = citus_plan_parts(query);
    if (error || !citus_plan_is_distributed(query) ||
        (!citus_plan_is_local(query) && citus_plan_is_routed(query)))
        return error;
    error = citus_clauses_error(query);
    if (!error)
        error = is_pushed_down(query) ? citus_plan_pushdown_error(query) : join_error(query);
    return error ? error : citus_clauses_target_error(query);
}
