/* ON CONFLICT (line_item_id) finds no key any more once the tenant is part of all of them: it becomes
 * ON CONFLICT (line_item_id, store_id).
 *
 * From `keyed` on both keys may be there, the old one for a moment only: so it is the new one's being there
 * that counts, not the old one's. */
#include "rewrite/conflict.h"

#include <string.h>

#include "rewrite/stable.h"
#include "rewrite/update.h"
#include "rewrite/walk.h"

/* ---- the target ---- */

/* Whether `column` is named in the target. */
static bool target_has(const Block *block, const char *column) {
    for (int i = 0; i < block->nconflict_target; i++) {
        const Expr *expr = block->conflict_target[i];

        if (expr && expr->kind == EXPR_COLUMN && expr->column && strcmp(expr->column, column) == 0)
            return true;
    }
    return false;
}

static bool has_expressions(const Block *block) {
    for (int i = 0; i < block->nconflict_target; i++) {
        if (!block->conflict_target[i] || block->conflict_target[i]->kind != EXPR_COLUMN)
            return true;
    }
    return false;
}

/* Whether the key's columns are the target's, and `tenant` unless that is NULL. */
static bool is_key(const Block *block, const Key *key, const Column *tenant) {
    bool has_tenant = tenant == NULL;

    if (key->ncolumns != block->nconflict_target + (tenant != NULL))
        return false;
    for (int i = 0; i < key->ncolumns; i++) {
        const Column *column = key->columns[i];

        if (column && column == tenant)
            has_tenant = true;
        else if (column ? !target_has(block, column->name) : !has_expressions(block))
            return false;
    }
    return has_tenant;
}

static bool some_key(const Block *block, const Table *table, const Column *tenant) {
    for (int i = 0; i < table->nkeys; i++) {
        const Key *key = &table->keys[i];
        const bool comparable =
            !key->partial_or_expression || has_expressions(block) || block->conflict_where;

        if (comparable && is_key(block, key, tenant))
            return true;
    }
    return false;
}

static bool target_lacks_tenant(const Rewrite *rw, const Block *block, const Table *table) {
    if (block->nconflict_target == 0 || !table->tenant || target_has(block, table->tenant->name) ||
        !some_key(block, table, table->tenant))
        return false;
    if (table->stage >= STAGE_KEYED || rewrite_is_migrating(table))
        return table->stage >= STAGE_KEYED;
    return table->kind == KIND_DISTRIBUTED && rw->snapshot->epoch > 0 && !some_key(block, table, NULL);
}

static bool constraint_has_tenant(const Block *block, const Table *table) {
    for (int i = 0; i < table->nkeys; i++) {
        const Key *key = &table->keys[i];

        for (int k = 0; k < key->ncolumns && strcmp(key->name, block->conflict_constraint) == 0; k++) {
            if (key->columns[k] && key->columns[k] == table->tenant)
                return true;
        }
    }
    return false;
}

/* Returns whether what is in conflict has, by the target as it is sent, the same tenant. */
static bool complete_target(Rewrite *rw, const Block *block, const Table *table) {
    if (!table->tenant)
        return false;
    if (block->conflict_constraint)
        return constraint_has_tenant(block, table);
    if (!target_lacks_tenant(rw, block, table))
        return target_has(block, table->tenant->name);
    if (block->conflict_target_span.end == 0) {
        rewrite_note(rw, "where ON CONFLICT stands in the text is not known");
        return false;
    }
    edits_insert(rw->edits, rw->arena, block->conflict_target_span.end - 1,
                 str_of(arena_printf(rw->arena, ", %s", rewrite_quoted(rw, table->tenant->name))));
    rw->decision->rewritten = true;
    return true;
}

/* ---- DO UPDATE: what Citus does not take ---- */

typedef struct Search {
    const Rewrite *rw;
    const char *function;
} Search;

static bool find_function(const Expr *expr, void *arg) {
    Search *search = arg;

    if (stable_mutable(search->rw, expr))
        search->function = expr->name.name;
    return true;
}

static void refuse_functions(Rewrite *rw, const Block *block, const Table *table) {
    Search search = {.rw = rw};
    const Walk walk = {.expr = find_function, .arg = &search};

    for (int i = 0; i < block->nconflict_set; i++)
        walk_expr(block->conflict_set[i].expr, block, &walk);
    walk_expr(block->conflict_set_where, block, &walk);
    if (search.function)
        rewrite_refuse(
            rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
            arena_printf(rw->arena, "%s is not supported in ON CONFLICT DO UPDATE", search.function),
            arena_printf(rw->arena, "Table \"%s\" is distributed: functions there must be immutable.",
                         table->name),
            "Put the value into VALUES and use excluded.column in DO UPDATE.");
}

void conflict_rewrite(Rewrite *rw, const Block *block, const Table *table) {
    const bool same_tenant = complete_target(rw, block, table);

    if (block->conflict != CONFLICT_UPDATE)
        return;
    if (rewrite_is_distributed(table))
        refuse_functions(rw, block, table);
    if (table->tenant_column) {
        SetList set = set_of_conflict(rw, block);

        set.same_tenant = same_tenant;
        update_rewrite_set(rw, &set, table);
    }
}
