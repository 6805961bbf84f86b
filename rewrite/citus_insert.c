/* INSERT: values without sub-selects, a tenant for each row, and DO UPDATE with nothing but immutable
 * functions.
 *
 * What the proxy does to the statement on its way counts as done: it gives the rows of a table to be
 * backfilled their tenant, makes INSERT … SELECT of VALUES with sub-selects in them there, and completes the
 * target of ON CONFLICT. */
#include <string.h>

#include "rewrite/cell.h"
#include "rewrite/citus_write.h"
#include "rewrite/insert.h"
#include "rewrite/walk.h"

/* Whether the proxy will take care of the table's tenants. */
static bool is_backfilled(const Table *table) {
    return table->kind == KIND_BACKFILL && table->stage != STAGE_DONE;
}

/* ---- ON CONFLICT ---- */

static bool names_column(const Block *block, const char *column) {
    for (int i = 0; i < block->nconflict_target; i++) {
        const Expr *expr = block->conflict_target[i];

        if (expr && expr->kind == EXPR_COLUMN && expr->column && strcmp(expr->column, column) == 0)
            return true;
    }
    return false;
}

/* Whether the key is the target; a tenant that the target lacks may be `added`. */
static bool is_target(const Block *block, const Table *table, const Key *key, bool added) {
    int lacking = 0;

    for (int i = 0; i < key->ncolumns; i++) {
        if (!key->columns[i])
            return false;
        if (names_column(block, key->columns[i]->name))
            continue;
        if (!added || strcmp(key->columns[i]->name, table->tenant_column) != 0)
            return false;
        lacking++;
    }
    return key->ncolumns == block->nconflict_target + lacking;
}

static bool has_key(const CitusQuery *query) {
    const Block *block = query->block;
    const Table *table = query->rels[0]->table;
    const bool added = is_backfilled(table) || query->tree->rw->snapshot->epoch > 0;

    for (int i = 0; i < block->nconflict_target; i++) {
        if (!block->conflict_target[i] || block->conflict_target[i]->kind != EXPR_COLUMN)
            return true; /* an index on expressions: which is not known here */
    }
    for (int i = 0; i < table->nkeys; i++) {
        if (is_target(block, table, &table->keys[i], added))
            return true;
    }
    return false;
}

static bool sets_tenant(const CitusQuery *query, const Target *set) {
    const char *tenant = query->rels[0]->table->tenant_column;

    return tenant && set->name && strcmp(set->name, tenant) == 0;
}

static const char *conflict_error(CitusQuery *query) {
    const Block *block = query->block;
    const Table *table = query->rels[0]->table;

    if (block->conflict == CONFLICT_NONE)
        return NULL;
    for (int i = 0; i < block->nconflict_set; i++) {
        const Target *set = &block->conflict_set[i];
        const Expr *expr = set->expr;
        const bool column = expr && expr->kind == EXPR_COLUMN && expr->column;

        if (sets_tenant(query, set) && !(column && strcmp(expr->column, table->tenant_column) == 0))
            return "modifying the partition value of rows is not allowed";
        if (citus_write_exceeds(query, expr, set->name ? table_column(table, set->name) : NULL,
                                VOLATILITY_IMMUTABLE))
            return "functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be "
                   "marked "
                   "IMMUTABLE";
    }
    if (citus_write_exceeds(query, block->conflict_set_where, NULL, VOLATILITY_IMMUTABLE) ||
        citus_write_exceeds(query, block->conflict_where, NULL, VOLATILITY_IMMUTABLE))
        return "functions used in the WHERE clause of the ON CONFLICT clause of INSERTs on distributed "
               "tables "
               "must be marked IMMUTABLE";
    if (block->nconflict_target > 0 && query->rels[0]->kind == CITUS_REL_DISTRIBUTED && !has_key(query))
        return "there is no unique or exclusion constraint matching the ON CONFLICT specification";
    return NULL;
}

/* ---- VALUES ---- */

static bool is_null(const Expr *expr) {
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr && expr->kind == EXPR_CONST && expr->const_type == CONST_NULL;
}

static bool has_default(const Table *table) {
    return table->tenant && (table->tenant->default_expr || table->tenant->identity);
}

static const char *tenant_error(const Block *block, const Table *table) {
    static const char *const missing = "cannot perform an INSERT without a partition column value";
    const int at = insert_column_index(block, table, table->tenant_column);

    if (at < 0 || block->default_values)
        return has_default(table) || is_backfilled(table) ? NULL : missing;
    for (int i = 0; i < block->nrows; i++) {
        const Expr *expr = at < block->rows[i].ncells ? block->rows[i].cells[at].expr : NULL;

        if (is_null(expr))
            return "cannot perform an INSERT with NULL in the partition column";
        if (expr && expr->kind == EXPR_DEFAULT && !has_default(table) && !is_backfilled(table))
            return missing;
    }
    return NULL;
}

static bool has_sublink(const CitusQuery *query) {
    const Block *block = query->block;
    const Table *table = query->rels[0]->table;
    bool tables = false;

    if (!query->sublinks)
        return false;
    if (!table || !is_backfilled(table))
        return true;
    for (int i = 0; i < block->nreturning; i++)
        (void)!cell_has_sublink(block->returning[i].expr, &tables);
    for (int i = 0; i < block->nconflict_set; i++)
        (void)!cell_has_sublink(block->conflict_set[i].expr, &tables);
    (void)!cell_has_sublink(block->conflict_set_where, &tables);
    return tables;
}

static const char *values_error(CitusQuery *query) {
    const CitusRel *target = query->rels[0];
    const char *error;

    if (has_sublink(query))
        return "subqueries are not supported within INSERT queries";
    if (!citus_write_concerns(query))
        return NULL;
    error = citus_write_returning_error(query);
    if (!error && target->kind == CITUS_REL_DISTRIBUTED)
        error = tenant_error(query->block, target->table);
    if (!error && target->kind != CITUS_REL_LOCAL)
        error = conflict_error(query);
    return error;
}

/* ---- INSERT … SELECT ---- */

static const char *source_tenant_error(const CitusQuery *query) {
    const Block *block = query->block, *source = block->source;
    const Table *table = query->rels[0]->table;
    int at = -1;

    if (is_backfilled(table))
        return NULL;
    if (block->has_column_list)
        at = insert_column_index(block, table, table->tenant_column);
    for (int i = 0; i < table->ncolumns && !block->has_column_list; i++)
        at = strcmp(table->columns[i].name, table->tenant_column) == 0 ? i : at;
    if (at < 0)
        return has_default(table) ? NULL : "the partition column should have a value";
    for (int i = 0; i <= at && i < source->ntargets; i++) {
        if (source->targets[i].expr && source->targets[i].expr->kind == EXPR_STAR)
            return NULL;
    }
    return at < source->ntargets && is_null(source->targets[at].expr)
               ? "the partition column value cannot be NULL"
               : NULL;
}

static const char *select_error(CitusQuery *query) {
    const CitusRel *target = query->rels[0];
    const char *error = NULL;

    if (target->kind == CITUS_REL_DISTRIBUTED)
        error = source_tenant_error(query);
    if (!error && target->kind != CITUS_REL_LOCAL)
        error = conflict_error(query);
    return error;
}

/* Sent to the shards whole, a CTE that nothing reads is planned there as a query of its own. */
static const char *unread_error(CitusQuery *query) {
    const Block *block = query->block;
    Scope *scope = &query->tree->scope;

    if (query->tree->rw->decision->verdict != VERDICT_SINGLE_TENANT)
        return NULL;
    for (int i = 0; i < block->nctes && block->source; i++) {
        const Cte *cte = &block->ctes[i];

        if (cte->block->kind <= BLOCK_VALUES && scope_cte(scope, cte)->references == 0 &&
            (scope_reads(scope, query->names, cte->block, KIND_DISTRIBUTED) ||
             scope_reads(scope, query->names, cte->block, KIND_REFERENCE)))
            return "cannot execute a distributed query from a query on a shard";
    }
    return NULL;
}

const char *citus_write_insert_error(CitusQuery *query) {
    const Block *block = query->block;
    const char *error = block->source ? select_error(query) : values_error(query);

    if (!error)
        error = unread_error(query);
    for (int i = 0; i < query->nctes && !error; i++) {
        CitusQuery *cte = query->ctes[i];

        error = cte->block->kind <= BLOCK_VALUES ? citus_plan_query(cte) : citus_write_error(cte);
        cte->result = true;
    }
    for (int i = 0; i < query->nsubs && !error; i++) {
        if (query->subs[i]->block == block->source)
            error = citus_plan_query(query->subs[i]);
    }
    return error;
}
