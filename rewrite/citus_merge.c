/* MERGE: pushed down to the shards, where all its tables are joined on their tenants; else the source's rows
 * are sent to where the target's are. The second way has more rules, and what fits neither is refused. */
#include <string.h>

#include "rewrite/citus_write.h"
#include "rewrite/insert.h"
#include "rewrite/merge_citus.h"
#include "rewrite/walk.h"

static bool is_reference(const CitusRel *rel) { return rel->kind == CITUS_REL_REFERENCE; }

static bool is_citus(const CitusRel *rel) { return rel->kind != CITUS_REL_LOCAL && citus_tree_is_table(rel); }

/* ---- functions ---- */

static bool action_exceeds(CitusQuery *query, const Block *action, const Table *table) {
    for (int i = 0; i < table->ncolumns && action->kind == BLOCK_INSERT; i++) {
        const Column *column = &table->columns[i];
        const int at = action->default_values ? -1 : insert_column_index(action, table, column->name);
        const Expr *expr = at >= 0 && action->nrows == 1 && at < action->rows[0].ncells
                               ? action->rows[0].cells[at].expr
                               : NULL;

        /* The tenant of a table to be backfilled does not come from a default. */
        if (column != table->tenant || at >= 0) {
            const Expr left_out = {.kind = EXPR_DEFAULT};

            if (citus_write_exceeds(query, at >= 0 ? expr : &left_out, column, VOLATILITY_IMMUTABLE))
                return true;
        }
    }
    for (int i = 0; i < action->ntargets; i++) {
        const Column *column = action->targets[i].name ? table_column(table, action->targets[i].name) : NULL;

        if (citus_write_exceeds(query, action->targets[i].expr, column, VOLATILITY_IMMUTABLE))
            return true;
    }
    return citus_write_exceeds(query, action->where, NULL, VOLATILITY_IMMUTABLE);
}

typedef struct Search {
    CitusQuery *query;
    bool found;
} Search;

static void on_own(const Expr *expr, void *arg) {
    Search *search = arg;

    search->found |= citus_write_exceeds(search->query, expr, NULL, VOLATILITY_IMMUTABLE);
}

static bool sub_exceeds(CitusQuery *query) {
    for (int i = 0; i < query->nsubs; i++) {
        Search search = {query->subs[i], false};

        walk_own_exprs(query->subs[i]->block, on_own, &search);
        if (search.found || sub_exceeds(query->subs[i]))
            return true;
    }
    return false;
}

static bool is_mutable(CitusQuery *query) {
    const Block *merge = query->block;

    for (int i = 0; i < merge->nmerge_actions && query->rels[0]->table; i++) {
        if (action_exceeds(query, merge->merge_actions[i], query->rels[0]->table))
            return true;
    }
    return citus_write_exceeds(query, merge->merge_on, NULL, VOLATILITY_IMMUTABLE) || sub_exceeds(query);
}

/* ---- the rules for both ways ---- */

static const char *cte_error(const Block *merge) {
    if (merge->recursive)
        return "Recursive CTEs are not yet supported in MERGE";
    for (int i = 0; i < merge->nctes; i++) {
        if (merge->ctes[i].block->kind > BLOCK_VALUES)
            return "CTEs with modifying actions are not yet supported in MERGE";
    }
    return NULL;
}

static bool changes_tenant(CitusQuery *query) {
    const Block *merge = query->block;
    const char *tenant = query->rels[0]->table->tenant_column;

    for (int i = 0; i < merge->nmerge_actions; i++) {
        const Block *action = merge->merge_actions[i];

        for (int k = 0; k < action->ntargets && action->kind == BLOCK_UPDATE; k++) {
            const Target *set = &action->targets[k];

            if (set->name && set->expr && strcmp(set->name, tenant) == 0 &&
                !citus_write_keeps_tenant(query, set->expr))
                return true;
        }
    }
    return false;
}

/* What WHEN NOT MATCHED gives the rows as their tenant; NULL where the proxy does, or there is none. */
static const Expr *inserted(const CitusQuery *query, const char **error) {
    const Block *merge = query->block;
    const Table *table = query->rels[0]->table;

    for (int i = 0; i < merge->nmerge_actions; i++) {
        const Block *action = merge->merge_actions[i];
        int at;

        if (action->kind != BLOCK_INSERT)
            continue;
        at = action->default_values ? -1 : insert_column_index(action, table, table->tenant_column);
        if (at >= 0 && action->nrows == 1 && at < action->rows[0].ncells) {
            const Expr *expr = action->rows[0].cells[at].expr;

            if (!expr || expr->kind != EXPR_COLUMN)
                *error = "MERGE INSERT is using unsupported expression type for distribution column";
            return expr;
        }
        if (table->kind != KIND_BACKFILL)
            *error = action->default_values ? "cannot perform MERGE INSERT with DEFAULTS"
                                            : "MERGE INSERT must have distribution column as value";
        return NULL;
    }
    return NULL;
}

/* ---- pushed down ---- */

static int count_distributed(const CitusQuery *query) {
    int n = 0;

    for (int i = 0; i < query->nrels; i++)
        n += query->rels[i]->kind == CITUS_REL_DISTRIBUTED;
    for (int i = 0; i < query->nsubs; i++)
        n += count_distributed(query->subs[i]);
    for (int i = 0; i < query->nctes; i++)
        n += count_distributed(query->ctes[i]);
    return n;
}

/* Whether a tenant column, not merely one that is equal to a tenant. */
static bool is_tenant(const CitusQuery *query, int node) {
    for (int i = 0; i < query->nrels; i++) {
        if (query->rels[i]->kind == CITUS_REL_DISTRIBUTED && query->rels[i]->tenant == node)
            return true;
    }
    for (int i = 0; i < query->nsubs; i++) {
        if (is_tenant(query->subs[i], node))
            return true;
    }
    return false;
}

static bool is_pushed_down(CitusQuery *query, const Expr *tenant) {
    if (count_distributed(query) < 2 || citus_pushdown_any(query, is_reference) || query->nctes > 0)
        return false;
    if (!citus_plan_is_routed(query) && citus_plan_pushdown_error(query))
        return false;
    return !tenant || is_tenant(query, citus_tree_column(query, tenant).node);
}

/* ---- sent to the target's shards ---- */

static const CitusRel *source_of(const CitusQuery *query) {
    return query->nrels == 2 && query->block->nfrom == 1 ? query->rels[1] : NULL;
}

static bool has_citus(const CitusRel *source) {
    if (source->kind == CITUS_REL_QUERY || source->kind == CITUS_REL_CTE)
        return !source->query || citus_pushdown_any(source->query, is_citus);
    return is_citus(source);
}

static const char *source_error(const CitusQuery *query) {
    const CitusRel *source = source_of(query);

    if (!source)
        return "Source is not an explicit query";
    if (citus_pushdown_any(query, citus_pushdown_is_local))
        return "MERGE INTO an distributed table from Postgres table is not yet supported";
    if (source->kind == CITUS_REL_FUNCTION || source->kind == CITUS_REL_OTHER)
        return "Currently, Citus only supports table, subquery, and CTEs as valid sources for the MERGE "
               "operation";
    return has_citus(source) ? NULL : "To MERGE into a distributed table, source must be Citus table(s)";
}

static bool has_sublinks(const CitusQuery *query, CitusPlace place) {
    for (int i = 0; i < query->nsubs; i++) {
        if (query->subs[i]->place == place)
            return true;
    }
    return false;
}

typedef struct Equality {
    CitusQuery *query;
    int tenant;
    int with; /* a column of the source; -1: any */
    bool found;
    bool other_type; /* a column of another type is what it is joined with */
} Equality;

static bool is_other_type(const CitusColumn *a, const CitusColumn *b) {
    return a->type && b->type && strcmp(a->type, b->type) != 0;
}

static void find_equality(Equality *equality, const Expr *expr) {
    for (int i = 0; i < expr->nargs && expr->kind == EXPR_AND; i++)
        find_equality(equality, expr->args[i]);
    if (expr->kind != EXPR_OP || expr->nargs != 2 || !expr->op || strcmp(expr->op, "=") != 0)
        return;
    for (int i = 0; i < 2; i++) {
        CitusColumn own, other;

        if (expr->args[i]->kind != EXPR_COLUMN || expr->args[1 - i]->kind != EXPR_COLUMN)
            continue;
        own = citus_tree_column(equality->query, expr->args[i]);
        other = citus_tree_column(equality->query, expr->args[1 - i]);
        if (own.node != equality->tenant || (equality->with >= 0 && other.node != equality->with))
            continue;
        if (is_other_type(&own, &other))
            equality->other_type = true;
        else
            equality->found = true;
    }
}

static Equality joined(CitusQuery *query, int with) {
    Equality equality = {.query = query, .tenant = query->rels[0]->tenant, .with = with};

    if (query->block->merge_on)
        find_equality(&equality, query->block->merge_on);
    return equality;
}

/* The proxy says in ON what follows from it. */
static bool is_joined_by_proxy(CitusQuery *query) {
    const Table *table = query->rels[0]->table;

    if (table->kind != KIND_BACKFILL)
        return false;
    return !table->tenant || merge_citus_join(query->tree->rw, query->block, table).joined;
}

static const char *sent_error(CitusQuery *query, const Expr *tenant) {
    const char *error = source_error(query);
    Equality any;

    if (error)
        return error;
    if (has_sublinks(query, CITUS_PLACE_ON))
        return "Sub-queries and CTEs are not allowed in ON clause for MERGE with repartitioning";
    if (has_sublinks(query, CITUS_PLACE_TARGET) || has_sublinks(query, CITUS_PLACE_OTHER))
        return "Sub-queries and CTEs are not allowed in actions for MERGE with repartitioning";
    any = joined(query, -1);
    if (!any.found && any.other_type)
        return "In the MERGE ON clause, there is a datatype mismatch between target's distribution column "
               "and the "
               "expression originating from the source";
    if (!any.found && !is_joined_by_proxy(query))
        return "The required join operation is missing between the target's distribution column and any "
               "expression originating from the source";
    if (tenant && !joined(query, citus_tree_column(query, tenant).node).found)
        return "MERGE INSERT must use the source's joining column for target's distribution column";
    for (int i = 0; i < query->nsubs && !error; i++)
        error = citus_plan_query(query->subs[i]);
    for (int i = 0; i < query->nctes && !error; i++)
        error = citus_plan_query(query->ctes[i]);
    return error;
}

const char *citus_write_merge_error(CitusQuery *query) {
    const CitusRel *target = query->rels[0];
    const char *error = cte_error(query->block);
    const Expr *tenant;

    if (target->kind == CITUS_REL_REFERENCE)
        return "Reference table as target is not allowed in MERGE command";
    if (is_mutable(query))
        return "non-IMMUTABLE functions are not yet supported in MERGE sql with distributed tables";
    if (error)
        return error;
    if (target->kind == CITUS_REL_LOCAL)
        return citus_plan_is_distributed(query)
                   ? "MERGE involving repartition of rows is supported only if the target is distributed"
                   : NULL;
    if (changes_tenant(query))
        return "updating the distribution column is not allowed in MERGE actions";
    tenant = inserted(query, &error);
    if (error || is_pushed_down(query, tenant))
        return error;
    return sent_error(query, tenant);
}
