/* Outer joins: rows that are the same on all shards must not be kept once on each. */
#include "rewrite/citus_plan.h"

#include <string.h>

#include "rewrite/walk.h"

/* ---- which are none ---- */

static bool has_outer_join(const FromItem *item) {
    if (item->kind != FROM_JOIN)
        return false;
    return (item->join != JOIN_TYPE_INNER && item->join != JOIN_TYPE_CROSS) || has_outer_join(item->left) ||
           has_outer_join(item->right);
}

bool citus_outer_is_lateral(const CitusRel *rel) {
    return rel->kind == CITUS_REL_QUERY && rel->item && rel->item->lateral && rel->query->correlated;
}

bool citus_outer_has_join(const CitusQuery *query) {
    for (int i = 0; i < query->block->nfrom; i++) {
        if (has_outer_join(query->block->from[i]))
            return true;
    }
    return false;
}

static bool stands_in(const FromItem *tree, const FromItem *item) {
    if (tree == item)
        return true;
    return tree->kind == FROM_JOIN && (stands_in(tree->left, item) || stands_in(tree->right, item));
}

static const CitusQuery *sub_of(const CitusQuery *query, const Expr *sublink) {
    for (int i = 0; i < query->nsubs; i++) {
        if (query->subs[i]->block == sublink->block)
            return query->subs[i];
    }
    return NULL;
}

/* Whether the condition is not true of a row in which its columns are NULL. */
static bool is_strict(const CitusQuery *query, const Expr *where) {
    const CitusQuery *sub;

    switch (where->kind) {
    case EXPR_OP:
    case EXPR_IN:
    case EXPR_OP_ANY:
    case EXPR_LIKE:
    case EXPR_BETWEEN:
        return true;
    case EXPR_SUBLINK:
        sub = sub_of(query, where);
        return where->sublink == SUBLINK_ANY && !where->negated && sub && !sub->correlated;
    default:
        return false;
    }
}

/* Whether a condition of WHERE fails where this side of a join has no row. */
static bool is_required(CitusQuery *query, const Expr *where, const FromItem *side) {
    const bool strict = where && is_strict(query, where);

    if (!where)
        return false;
    for (int i = 0; i < where->nargs; i++) {
        const CitusRel *owner = strict && where->args[i] ? citus_tree_owner(query, where->args[i]) : NULL;

        if ((where->kind == EXPR_AND && is_required(query, where->args[i], side)) ||
            (owner && owner->item && stands_in(side, owner->item)))
            return true;
    }
    return false;
}

/* As PostgreSQL takes it, seeing what WHERE says. */
JoinType citus_outer_join(CitusQuery *query, const FromItem *item) {
    const Expr *where = query->block->where;
    bool left, right;

    if (item->join == JOIN_TYPE_INNER || item->join == JOIN_TYPE_CROSS)
        return JOIN_TYPE_INNER;
    left = is_required(query, where, item->left);
    right = is_required(query, where, item->right);
    if ((item->join == JOIN_TYPE_LEFT && right) || (item->join == JOIN_TYPE_RIGHT && left) || (left && right))
        return JOIN_TYPE_INNER;
    if (item->join == JOIN_TYPE_FULL)
        return left ? JOIN_TYPE_LEFT : right ? JOIN_TYPE_RIGHT : JOIN_TYPE_FULL;
    return item->join;
}

static bool is_any_left(CitusQuery *query, const FromItem *item) {
    return item->kind == FROM_JOIN && (citus_outer_join(query, item) != JOIN_TYPE_INNER ||
                                       is_any_left(query, item->left) || is_any_left(query, item->right));
}

bool citus_outer_is_nullable(CitusQuery *query, const FromItem *item) {
    for (int i = 0; i < query->block->nfrom; i++) {
        const FromItem *at = query->block->from[i];

        while (at->kind == FROM_JOIN && at != item) {
            const JoinType join = citus_outer_join(query, at);
            const bool left = stands_in(at->left, item);

            if (!left && !stands_in(at->right, item))
                break;
            if (join == JOIN_TYPE_FULL || join == (left ? JOIN_TYPE_RIGHT : JOIN_TYPE_LEFT))
                return true;
            at = left ? at->left : at->right;
        }
    }
    return false;
}

/* ---- what is read ahead ---- */

static CitusRel *rel_of(const CitusQuery *query, const FromItem *item) {
    for (int i = 0; i < query->nrels; i++) {
        if (query->rels[i]->item == item && query->rels[i]->kind != CITUS_REL_ALIAS)
            return query->rels[i];
    }
    return NULL;
}

static bool is_recurring(const CitusQuery *query, const FromItem *item) {
    const CitusRel *rel = rel_of(query, item);

    if (!rel || rel->result)
        return true;
    if (rel->kind == CITUS_REL_QUERY)
        return !rel->query || !citus_plan_is_distributed(rel->query);
    return rel->kind != CITUS_REL_DISTRIBUTED;
}

static const char *take_out_item(CitusQuery *query, const FromItem *item) {
    CitusRel *rel = rel_of(query, item);
    const char *error;

    if (item->kind == FROM_JOIN) {
        error = take_out_item(query, item->left);
        return error ? error : take_out_item(query, item->right);
    }
    if (!rel || is_recurring(query, item))
        return NULL;
    if (rel->kind == CITUS_REL_QUERY)
        return citus_plan_take_out(rel->query);
    rel->result = true;
    return NULL;
}

/* *recurs: what is joined gives the same rows on each shard. */
static const char *take_out_nullable(CitusQuery *query, const FromItem *item, bool *recurs) {
    const JoinType join = item->join;
    const char *error;
    bool left, right;

    if (item->kind != FROM_JOIN) {
        *recurs = is_recurring(query, item);
        return NULL;
    }
    error = take_out_nullable(query, item->left, &left);
    if (!error)
        error = take_out_nullable(query, item->right, &right);
    if (error)
        return error;
    if (left && !right && (join == JOIN_TYPE_LEFT || join == JOIN_TYPE_FULL))
        error = take_out_item(query, item->right);
    else if (right && !left && (join == JOIN_TYPE_RIGHT || join == JOIN_TYPE_FULL))
        error = take_out_item(query, item->left);
    *recurs = join == JOIN_TYPE_LEFT    ? left
              : join == JOIN_TYPE_RIGHT ? right
              : join == JOIN_TYPE_FULL  ? left || right
                                        : left && right;
    return error;
}

const char *citus_outer_take_out(CitusQuery *query) {
    const char *error = NULL;
    bool recurs;

    for (int i = 0; i < query->block->nfrom && !error; i++)
        error = take_out_nullable(query, query->block->from[i], &recurs);
    return error;
}

/* ---- what is refused ---- */

static const char *nullable_error(CitusQuery *query, const FromItem *item) {
    const char *error;
    bool left, right;

    if (item->kind != FROM_JOIN)
        return NULL;
    error = nullable_error(query, item->left);
    if (!error)
        error = nullable_error(query, item->right);
    if (error)
        return error;
    left = item->left->kind != FROM_JOIN && is_recurring(query, item->left);
    right = item->right->kind != FROM_JOIN && !is_recurring(query, item->right);
    return citus_outer_join(query, item) == JOIN_TYPE_LEFT && left && right &&
                   citus_outer_is_lateral(rel_of(query, item->right))
               ? "cannot perform a lateral outer join when a distributed subquery references what is no "
                 "distributed table"
               : NULL;
}

const char *citus_outer_lateral_error(CitusQuery *query) {
    const char *error = NULL;

    for (int i = 0; i < query->block->nfrom && !error; i++)
        error = nullable_error(query, query->block->from[i]);
    return error;
}

typedef struct Constant {
    CitusQuery *query;
    bool column; /* some row decides */
    bool sublink;
    bool mutable; /* a function that is not immutable */
} Constant;

static bool depends_on(const CitusQuery *query, const Block *block) {
    for (int i = 0; i < query->nsubs; i++) {
        const CitusQuery *sub = query->subs[i];

        for (int k = 0; k < sub->nouter && sub->block == block; k++) {
            if (sub->outer[k]->owner == query)
                return true;
        }
    }
    return false;
}

static bool on_expr(const Expr *expr, void *arg) {
    Constant *constant = arg;
    const VolatilityScope scope = citus_tree_volatility(constant->query);

    constant->column |= expr->kind == EXPR_COLUMN;
    constant->sublink |= expr->kind == EXPR_SUBLINK;
    constant->mutable |= volatility_own(&scope, expr) == VOLATILITY_STABLE;
    if (expr->kind != EXPR_SUBLINK)
        return true;
    constant->column |= depends_on(constant->query, expr->block);
    for (int i = 0; i < expr->nargs; i++)
        walk_expr(expr->args[i], NULL, &(Walk){.expr = on_expr, .arg = constant});
    return false;
}

/* How many conditions of WHERE, those with a sub-select in them alone. */
static int count_constants(CitusQuery *query, const Expr *where, bool sublinks) {
    Constant constant = {.query = query};
    int n = 0;

    for (int i = 0; where && where->kind == EXPR_AND && i < where->nargs; i++)
        n += count_constants(query, where->args[i], sublinks);
    if (!where || where->kind == EXPR_AND)
        return n;
    walk_expr(where, NULL, &(Walk){.expr = on_expr, .arg = &constant});
    return !constant.column && (constant.sublink || (constant.mutable && !sublinks));
}

/* The query that PostgreSQL makes this one a part of. */
static CitusQuery *level_of(CitusQuery *query) {
    while (query->container && query->place == CITUS_PLACE_FROM &&
           query->container->block->kind == BLOCK_SELECT && scope_is_simple(query->names, query->block))
        query = query->container;
    return query;
}

static bool level_has_constant(CitusQuery *query, const CitusQuery *level) {
    if (count_constants(query, query->block->where, false) > 0)
        return true;
    for (int i = 0; i < query->nsubs; i++) {
        if (level_of(query->subs[i]) == level && level_has_constant(query->subs[i], level))
            return true;
    }
    return false;
}

/* NOT EXISTS, which becomes an anti-join: to Citus, an outer join. */
static bool has_anti_join(const CitusQuery *query, const Expr *where) {
    const CitusQuery *sub;

    for (int i = 0; where && where->kind == EXPR_AND && i < where->nargs; i++) {
        if (has_anti_join(query, where->args[i]))
            return true;
    }
    if (!where || where->kind != EXPR_NOT || where->nargs != 1 || where->args[0]->kind != EXPR_SUBLINK ||
        where->args[0]->sublink != SUBLINK_EXISTS)
        return false;
    sub = sub_of(query, where->args[0]);
    return sub && sub->correlated;
}

static void look(CitusOuter *outer, CitusQuery *query) {
    CitusQuery *level = level_of(query);
    const bool constant = level_has_constant(level, level);

    outer->seen |= !constant && has_anti_join(query, query->block->where);
    for (int i = 0; i < query->block->nfrom; i++)
        outer->seen |= !constant && is_any_left(query, query->block->from[i]);
    for (int i = 0; i < query->nsubs; i++)
        look(outer, query->subs[i]);
    for (int i = 0; i < query->nctes; i++)
        look(outer, query->ctes[i]);
}

CitusOuter citus_outer_look(CitusQuery *query) {
    CitusOuter outer = {.seen = false};

    look(&outer, query);
    return outer;
}

/* ---- what may be refused ---- */

typedef struct Dependence {
    CitusQuery *query;
    bool column, open; /* a row decides; more than literals does */
} Dependence;

static bool on_dependence(const Expr *expr, void *arg) {
    Dependence *found = arg;

    found->column |= expr->kind == EXPR_COLUMN;
    found->open |= expr->kind == EXPR_SUBLINK || expr->kind == EXPR_PARAM || expr->kind == EXPR_FUNC;
    if (expr->kind != EXPR_SUBLINK)
        return true;
    found->column |= depends_on(found->query, expr->block);
    for (int i = 0; i < expr->nargs; i++)
        walk_expr(expr->args[i], NULL, &(Walk){.expr = on_dependence, .arg = arg});
    return false;
}

/* A condition that no row decides, and no literal. */
static bool may_be_constant(CitusQuery *query, const Expr *condition) {
    Dependence found = {.query = query};

    for (int i = 0; condition && condition->kind == EXPR_AND && i < condition->nargs; i++) {
        if (may_be_constant(query, condition->args[i]))
            return true;
    }
    if (!condition || condition->kind == EXPR_AND)
        return false;
    walk_expr(condition, NULL, &(Walk){.expr = on_dependence, .arg = &found});
    return found.open && !found.column;
}

static bool join_may_be_constant(CitusQuery *query, const FromItem *item) {
    return item->kind == FROM_JOIN &&
           (may_be_constant(query, item->quals) || join_may_be_constant(query, item->left) ||
            join_may_be_constant(query, item->right));
}

static void look_for_risk(CitusQuery *query, bool *outer, bool *constant) {
    const Block *block = query->block;

    *outer |= citus_outer_has_join(query);
    *constant |= may_be_constant(query, block->where) || may_be_constant(query, block->having);
    for (int i = 0; i < block->nfrom; i++)
        *constant |= join_may_be_constant(query, block->from[i]);
    for (int i = 0; i < query->nsubs; i++)
        look_for_risk(query->subs[i], outer, constant);
    for (int i = 0; i < query->nctes; i++)
        look_for_risk(query->ctes[i], outer, constant);
}

bool citus_outer_may_be_refused(CitusQuery *query) {
    bool outer = false, constant = false;

    look_for_risk(query, &outer, &constant);
    return outer && constant;
}

/* How many tables and the like are joined in the level: a sub-select in WHERE may be one, unless it is what
 * is constant. */
static int count_items(CitusQuery *query, const CitusQuery *level) {
    int n = 0;

    for (int i = 0; i < query->nrels; i++) {
        const CitusRel *rel = query->rels[i];

        if (rel->kind == CITUS_REL_QUERY && rel->query && level_of(rel->query) == level)
            n += count_items(rel->query, level);
        else
            n += rel->kind != CITUS_REL_ALIAS;
    }
    for (int i = 0; i < query->nsubs; i++)
        n += query->subs[i]->place == CITUS_PLACE_WHERE || query->subs[i]->place == CITUS_PLACE_ON;
    return n - count_constants(query, query->block->where, true);
}

const char *citus_outer_error(CitusQuery *query, CitusOuter outer) {
    CitusQuery *level = level_of(query);

    /* With more to join than two, it sees the outer join as a part of the others. */
    return !outer.seen && count_items(level, level) == 2 && query->block->kind == BLOCK_SELECT &&
                   citus_outer_has_join(query) && level_has_constant(level, level)
               ? "Distributed queries with outer joins and pseudoconstant quals are not supported in PG15 "
                 "and "
                 "PG16."
               : NULL;
}
