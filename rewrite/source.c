/* What is taken from a parent's row has the parent's tenant, and the row has it at hand:
 *
 *   UPDATE line_items l SET order_id = o.order_id, … FROM orders o   →   o.store_id
 *
 * No second look at the parent is needed, and Citus, which takes no sub-select there, takes a column. */
#include "rewrite/source.h"

#include <string.h>

#include "rewrite/stable.h"
#include "rewrite/star.h"

static bool same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static const char *name_of(const FromItem *item) { return item->alias ? item->alias : item->name.name; }

/* The column of `table`, with the tenant's certain value in its row, that holds the value for the child's key
 * column k; NULL if it has none. */
static const char *key_in(const Table *table, const ForeignKey *fk, int k) {
    const ForeignKey *step;

    if (table == fk->parent)
        return fk->parent_columns[k]->name;
    step = table->path.nsteps > 0 ? table->path.steps[0] : NULL;
    for (int i = 0; step && step->parent == fk->parent && i < step->ncolumns; i++) {
        if (step->parent_columns[i] == fk->parent_columns[k])
            return step->child_columns[i]->name;
    }
    return NULL;
}

static bool tenant_is_sure(const Table *table) {
    return table->tenant && (table->kind == KIND_DISTRIBUTED || table->stage >= STAGE_KEYED);
}

/* ---- a sub-select ---- */

/* The expression behind an output column; NULL where it is none, not this plain, or maybe not the only one of
 * that name. */
static const Expr *output(const Target *targets, int ntargets, const char *column) {
    const Expr *found = NULL;

    for (int i = 0; i < ntargets; i++) {
        const Expr *expr = targets[i].expr;
        const char *name = targets[i].name;

        if (!expr || expr->kind == EXPR_STAR)
            return NULL;
        if (!name && expr->kind == EXPR_COLUMN)
            name = expr->column;
        if (!same(name, column))
            continue;
        if (found || expr->kind != EXPR_COLUMN)
            return NULL;
        found = expr;
    }
    return found;
}

/* Whether the query is SELECT * FROM one item: its columns are the item's. */
static bool passes_all(Rewrite *rw, const Block *query) {
    return query->ntargets == 1 && query->targets[0].expr && query->targets[0].expr->kind == EXPR_STAR &&
           query->nfrom == 1 &&
           (query->from[0]->kind == FROM_TABLE || query->from[0]->kind == FROM_SUBQUERY) &&
           !star_hides(rw, query);
}

/* The output that is the source's tenant. */
static const char *tenant_output(Rewrite *rw, const Block *query, const Source *source) {
    if (passes_all(rw, query))
        return source->column;
    for (int i = 0; i < query->ntargets; i++) {
        const Target *target = &query->targets[i];
        const Expr *expr = target->expr;

        if (expr && expr->kind == EXPR_COLUMN && same(expr->column, source->column) &&
            (expr->name.name ? same(expr->name.name, name_of(source->item)) : query->nfrom == 1)) {
            const char *name = target->name ? target->name : expr->column;

            return output(query->targets, query->ntargets, name) ? name : NULL;
        }
    }
    return NULL;
}

static const char *tenant_of_query(Rewrite *rw, const Block *query, const Table *table,
                                   const Expr *const *keys) {
    const int nkeys = table->path.steps[0]->ncolumns;
    const Expr **inner = ARENA_ARRAY(rw->arena, const Expr *, nkeys);
    Source source;

    if (query->kind != BLOCK_SELECT)
        return NULL;
    for (int k = 0; k < nkeys; k++) {
        if (passes_all(rw, query)) {
            Expr *column = ARENA_NEW(rw->arena, Expr);

            *column = (Expr){.kind = EXPR_COLUMN, .column = keys[k]->column};
            inner[k] = column;
        } else {
            inner[k] = output(query->targets, query->ntargets, keys[k]->column);
        }
        if (!inner[k])
            return NULL;
    }
    return source_find(rw, query, table, inner, &source) ? tenant_output(rw, query, &source) : NULL;
}

/* ---- what a CTE has written ---- */

/* The output of RETURNING that is this column of the target; NULL without. */
static const char *returned(const Block *write, const char *column) {
    const bool alone = write->nfrom == 0;

    if (alone && write->nreturning == 1 && write->returning[0].expr &&
        write->returning[0].expr->kind == EXPR_STAR)
        return column;
    for (int i = 0; i < write->nreturning; i++) {
        const Target *target = &write->returning[i];
        const Expr *expr = target->expr;
        const char *name = target->name ? target->name : column;

        if (expr && expr->kind == EXPR_COLUMN && same(expr->column, column) &&
            (alone || same(expr->name.name, name_of(write->target))))
            return output(write->returning, write->nreturning, name) ? name : NULL;
    }
    return NULL;
}

/* The parent's rows that an INSERT or UPDATE gives back are as it has written them. */
static const char *tenant_of_returning(Rewrite *rw, const Block *write, const Table *table,
                                       const Expr *const *keys) {
    const ForeignKey *fk = table->path.steps[0];
    NameMeaning target = names_resolve(rw->names, NULL, &write->target->name);

    if (target.kind != NAME_TABLE || target.table != fk->parent || !tenant_is_sure(target.table))
        return NULL;
    for (int k = 0; k < fk->ncolumns; k++) {
        if (!same(returned(write, fk->parent_columns[k]->name), keys[k]->column))
            return NULL;
    }
    return returned(write, target.table->tenant->name);
}

static const char *tenant_of_cte(Rewrite *rw, const Cte *cte, const Table *table, const Expr *const *keys) {
    if (cte->ncolumns > 0 || !cte->block)
        return NULL;
    if (cte->block->kind >= BLOCK_INSERT)
        return cte->block->target ? tenant_of_returning(rw, cte->block, table, keys) : NULL;
    return tenant_of_query(rw, cte->block, table, keys);
}

/* ---- an item ---- */

static const char *tenant_of_table(Rewrite *rw, const FromItem *item, const Block *block, const Table *table,
                                   const Expr *const *keys) {
    const ForeignKey *fk = table->path.steps[0];
    NameMeaning meaning = names_resolve(rw->names, block, &item->name);

    if (meaning.kind == NAME_CTE)
        return tenant_of_cte(rw, meaning.cte, table, keys);
    if (meaning.kind != NAME_TABLE || !tenant_is_sure(meaning.table) || !stable_parents(rw, table))
        return NULL;
    for (int k = 0; k < fk->ncolumns; k++) {
        if (!same(key_in(meaning.table, fk, k), keys[k]->column))
            return NULL;
    }
    return meaning.table->tenant->name;
}

/* Whether all keys are columns of this item. An unqualified one is, if there is no other item. */
static bool gives(const FromItem *item, const Block *block, const Expr *const *keys, int nkeys) {
    for (int k = 0; k < nkeys; k++) {
        if (!keys[k] || keys[k]->kind != EXPR_COLUMN || keys[k]->name.schema)
            return false;
        if (keys[k]->name.name ? !same(keys[k]->name.name, name_of(item))
                               : block->nfrom != 1 || block->from[0] != item)
            return false;
    }
    return true;
}

static bool find_in(Rewrite *rw, const FromItem *item, const Block *block, const Table *table,
                    const Expr *const *keys, Source *source) {
    const char *column = NULL;

    if (item->kind == FROM_JOIN)
        return !item->alias && (find_in(rw, item->left, block, table, keys, source) ||
                                find_in(rw, item->right, block, table, keys, source));
    if (!name_of(item) || item->ncolumns > 0 || !gives(item, block, keys, table->path.steps[0]->ncolumns))
        return false;
    if (item->kind == FROM_TABLE)
        column = tenant_of_table(rw, item, block, table, keys);
    else if (item->kind == FROM_SUBQUERY)
        column = tenant_of_query(rw, item->block, table, keys);
    if (!column)
        return false;
    source->item = item;
    source->column = column;
    source->text =
        arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, name_of(item)), rewrite_quoted(rw, column));
    return true;
}

bool source_find(Rewrite *rw, const Block *block, const Table *table, const Expr *const *keys,
                 Source *source) {
    for (int i = 0; i < block->nfrom; i++) {
        if (find_in(rw, block->from[i], block, table, keys, source))
            return true;
    }
    return false;
}
