/* Clauses that the outermost query may not have where all shards answer it.
 *
 * The coordinator puts the shards' rows together: it sorts, limits and aggregates them, but neither joins nor
 * locks any, and runs no sub-select there. */
#include "rewrite/citus_plan.h"

#include <string.h>

#include "rewrite/functions.h"
#include "rewrite/walk.h"

typedef struct Aggregates {
    const Names *names;
    bool aggregate, sublink;
} Aggregates;

static bool on_call(const Expr *expr, void *arg) {
    Aggregates *found = arg;

    found->sublink |= expr->kind == EXPR_SUBLINK;
    if (expr->kind == EXPR_FUNC && !expr->is_window && expr->name.name &&
        names_in_catalog(found->names, &expr->name) &&
        (expr->agg_star || function_kind(expr->name.name) == FUNCTION_AGGREGATE)) {
        found->aggregate = true;
        return false; /* a sub-select in it is run on the shards */
    }
    return expr->kind != EXPR_SUBLINK;
}

const char *citus_clauses_target_error(const CitusQuery *query) {
    const Block *block = query->block;
    bool aggregates = block->having != NULL, bare = false;

    for (int i = 0; i < block->ntargets; i++) {
        Aggregates found = {.names = query->names};

        walk_expr(block->targets[i].expr, NULL, &(Walk){.expr = on_call, .arg = &found});
        if (found.aggregate && found.sublink)
            return "cannot push down subquery on the target list";
        aggregates |= found.aggregate;
        bare |= found.sublink;
    }
    return aggregates && bare && block->ngroup_by == 0 ? "cannot push down subquery on the target list"
                                                       : NULL;
}

static const char *limit_error(const CitusQuery *query) {
    Aggregates limit = {.names = query->names};

    for (int i = 0; i < query->nsubs; i++) {
        if (query->subs[i]->place != CITUS_PLACE_LIMIT)
            continue;
        walk_expr(query->block->limit, NULL, &(Walk){.expr = on_call, .arg = &limit});
        return limit.sublink ? "subquery in LIMIT is not supported in multi-shard queries"
                             : "subquery in OFFSET is not supported in multi-shard queries";
    }
    return NULL;
}

static bool on_grouping(const Expr *expr, void *arg) {
    bool *found = arg;

    *found |= expr->kind == EXPR_FUNC && expr->name.name && !expr->name.schema &&
              strcmp(expr->name.name, "grouping") == 0;
    return expr->kind != EXPR_SUBLINK;
}

const char *citus_clauses_error(const CitusQuery *query) {
    const Block *block = query->block;
    bool grouping = false, odd = false;

    for (int i = 0; i < block->ntargets; i++)
        walk_expr(block->targets[i].expr, NULL, &(Walk){.expr = on_grouping, .arg = &grouping});
    for (int i = 0; i < query->nrels; i++)
        odd |= query->rels[i]->kind == CITUS_REL_OTHER;
    if (citus_plan_is_local(query))
        return "direct joins between distributed and local tables are not supported";
    if (block->recursive)
        return "recursive CTEs are only supported when they contain a filter on the distribution column";
    if (limit_error(query))
        return limit_error(query);
    if (odd)
        return "could not run distributed query with complex table expressions";
    if (block->group_distinct_or_sets)
        return "could not run distributed query with GROUPING SETS, CUBE, or ROLLUP";
    if (grouping)
        return "could not run distributed query with GROUPING";
    return block->locking ? "could not run distributed query with FOR UPDATE/SHARE commands" : NULL;
}
