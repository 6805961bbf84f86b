/* Unlike a cell of VALUES (rewrite/cell.h), a condition or a new value may read columns and tables: all parts
 * of a statement see the same rows. What may differ the second time is a volatile function, and a sub-select
 * that picks some of several rows: by LIMIT, DISTINCT ON, a sample, or by the locks that it gets. */
#include "rewrite/stable.h"

#include <string.h>

#include "rewrite/functions.h"
#include "rewrite/survey.h"
#include "rewrite/walk.h"

typedef struct Look {
    const Rewrite *rw;
    bool unstable;
} Look;

static bool on_expr(const Expr *expr, void *arg) {
    Look *look = arg;

    if (expr->kind == EXPR_FUNC) {
        FunctionKind kind = expr->name.name && names_in_catalog(look->rw->names, &expr->name)
                                ? function_kind(expr->name.name)
                                : FUNCTION_UNKNOWN;

        look->unstable |= kind == FUNCTION_UNKNOWN || kind == FUNCTION_VOLATILE;
    }
    look->unstable |= expr->kind == EXPR_CURRENT_OF;
    return !look->unstable;
}

static bool on_block(const Block *block, void *arg) {
    Look *look = arg;

    look->unstable |= block->kind >= BLOCK_INSERT || block->limit || block->offset || block->locking ||
                      block->ndistinct_on > 0;
    return !look->unstable;
}

static bool on_from(const FromItem *item, const Block *block, void *arg) {
    Look *look = arg;

    (void)block;
    look->unstable |= item->kind == FROM_OTHER;
    return !look->unstable;
}

bool stable_expr(const Rewrite *rw, const Expr *expr, const Block *block) {
    Look look = {.rw = rw};

    walk_expr(expr, block, &(Walk){.block = on_block, .expr = on_expr, .from = on_from, .arg = &look});
    return !look.unstable;
}

static bool stable_item(const Rewrite *rw, const FromItem *item, const Block *block) {
    Look look = {.rw = rw};
    const Walk walk = {.block = on_block, .expr = on_expr, .from = on_from, .arg = &look};

    on_from(item, block, &look);
    walk_block(item->block, &walk);
    for (int i = 0; i < item->nexprs; i++)
        walk_expr(item->exprs[i], block, &walk);
    walk_expr(item->quals, block, &walk);
    return !look.unstable && (!item->left || stable_item(rw, item->left, block)) &&
           (!item->right || stable_item(rw, item->right, block));
}

bool stable_from(const Rewrite *rw, const Block *block) {
    for (int i = 0; i < block->nfrom; i++) {
        if (!stable_item(rw, block->from[i], block))
            return false;
    }
    return true;
}

static bool is_part(const Table *table) { return table->relkind == 'p' || table->partition_of; }

bool stable_parents(const Rewrite *rw, const Table *table) {
    const Survey *survey = rw->survey;

    for (int i = 0; i < survey->written.n; i++) {
        const Table *written = survey->written.tables[i];

        for (int k = 0; k < table->path.nsteps && written != table; k++) {
            const Table *parent = table->path.steps[k]->parent;

            if (written == parent || (is_part(written) && is_part(parent)))
                return false;
        }
        if (written->relkind == 'v')
            return false;
    }
    return !survey->writes_unknown;
}

bool stable_mutable(const Rewrite *rw, const Expr *expr) {
    /* clang-format off */
    static const char *const names[] = {
        "clock_timestamp", "current_date", "current_role", "current_setting", "current_time",
        "current_timestamp", "current_user", "currval", "gen_random_uuid", "lastval", "localtime",
        "localtimestamp", "nextval", "now", "random", "session_user", "set_config", "setval",
        "statement_timestamp", "timeofday", "transaction_timestamp", "txid_current", "user"};
    /* clang-format on */

    if (expr->kind != EXPR_FUNC || !expr->name.name || !names_in_catalog(rw->names, &expr->name))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(expr->name.name, names[i]) == 0)
            return true;
    }
    return false;
}
