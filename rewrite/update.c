/* What SET does to tenants, by stage.
 *
 * The parent is set and the tenant is not: in `derive` and `keyed` the tenant follows (rewrite/follow.c).
 * From `resolve` on it must not: Citus takes no sub-select there, and no change of the tenant at all. It need
 * not either: a foreign key holds the pair (store_id, order_id), so that a parent of the same tenant is taken
 * and one of another is refused (23503), by PostgreSQL and by Citus alike, in whatever form SET has it. Such
 * a statement is sent as it is: whose tenant the new parent is, only the server knows for sure. Where no key
 * holds the pair, the statement is refused here.
 *
 * The tenant is set: the children are carried along (rewrite/carry.c), until Citus has distributed the table.
 * From then on Citus allows only what is provably no change, and proves less than one would wish: not that
 * `SET store_id = $3 … WHERE store_id = $3` changes nothing. Such a value is replaced by the column itself;
 * what may be another value is refused, in words that name the table. */
#include "rewrite/update.h"

#include <string.h>

#include "rewrite/carry.h"
#include "rewrite/follow.h"

/* ---- the parent is set ---- */

static bool has_column(const ForeignKey *fk, const Column *column) {
    for (int k = 0; k < fk->ncolumns; k++) {
        if (fk->child_columns[k] == column)
            return true;
    }
    return false;
}

/* Whether a foreign key of the table holds its tenant together with the key that leads to its parent. */
static bool pair_is_held(const Table *table) {
    const ForeignKey *step = table->path.steps[0];

    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *fk = table->foreign_keys[i];
        bool held = fk->parent == step->parent && table->tenant && has_column(fk, table->tenant);

        for (int k = 0; k < step->ncolumns && held; k++)
            held = has_column(fk, step->child_columns[k]);
        if (held)
            return true;
    }
    return false;
}

static void refuse_move(Rewrite *rw, const Table *table) {
    const char *name = rewrite_quoted(rw, table->name), *tenant = rewrite_quoted(rw, table->tenant_column);

    rewrite_refuse(rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
                   arena_printf(rw->arena,
                                "the parent of a row of table \"%s\" cannot be changed in stage %s",
                                table->name, stage_name(table->stage)),
                   arena_printf(rw->arena,
                                "%s.%s cannot follow, and no foreign key to %s has both in it that would "
                                "refuse a parent of another tenant.",
                                name, tenant, rewrite_quoted(rw, table->path.steps[0]->parent->name)),
                   arena_printf(rw->arena, "Add the foreign key, or name %s in SET.", tenant));
}

static void put_followed(Rewrite *rw, uint32_t offset, const void *arg) { follow_put_again(rw, offset, arg); }

static void follow(Rewrite *rw, const SetList *set, const Table *table) {
    const ForeignKey *fk = table->path.steps[0];
    const Follow plan = follow_plan(rw, set, table);
    CarryValue value = {.put = put_followed, .arg = &plan};
    const char *why = NULL;

    if (plan.why)
        rewrite_unknown(rw, table, plan.why);
    if (plan.why || plan.keeps)
        return;
    follow_edit(rw, &plan);
    if (!carry_needed(rw, table))
        return;
    value.exprs = ARENA_ARRAY(rw->arena, const Expr *, fk->ncolumns);
    for (int k = 0; k < fk->ncolumns; k++) {
        int index = set_index(set, fk->child_columns[k]->name);

        if (index >= 0 && set_source(rw, set, index)->kind != EXPR_DEFAULT)
            value.exprs[value.nexprs++] = set_source(rw, set, index);
    }
    why = carry_problem(rw, set, table, &value);
    if (why)
        carry_leave(rw, table, why);
    else
        carry_edit(rw, set, table, &value);
}

/* ---- the tenant is set ---- */

static bool is_literal(const Expr *expr) {
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr && expr->kind == EXPR_CONST;
}

/* Puts the column itself in the place of a value that is equal to it. Citus sees by itself that a literal of
 * an UPDATE is. */
static void set_to_itself(Rewrite *rw, const SetList *set, const Table *table, int index) {
    const SetValue value = set_value(rw, set, index);

    if (value.form == SET_UNKNOWN || value.form == SET_SELECT ||
        (set->block->kind == BLOCK_UPDATE && is_literal(set->targets[index].expr)))
        return;
    edits_insert(rw->edits, rw->arena, value.value.start,
                 str_of(arena_printf(rw->arena, "%s.%s", set->row, rewrite_quoted(rw, table->tenant->name))));
    edits_remove(rw->edits, rw->arena, value.value);
    rw->decision->rewritten = true;
}

/* ON CONFLICT (store_id, …) DO UPDATE SET store_id = excluded.store_id: no change, and Citus sees it. */
static bool is_excluded(const SetList *set, const Expr *expr, const char *column) {
    return set->same_tenant && expr && expr->kind == EXPR_COLUMN && expr->name.name &&
           strcmp(expr->name.name, "excluded") == 0 && strcmp(expr->column, column) == 0;
}

static void refuse_change(Rewrite *rw, const Table *table) {
    const char *name = rewrite_quoted(rw, table->name), *tenant = rewrite_quoted(rw, table->tenant->name);

    rewrite_refuse(
        rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
        arena_printf(rw->arena, "the tenant of a row of table \"%s\" cannot be changed", table->name),
        arena_printf(rw->arena,
                     "%s is distributed by %s: Citus does not allow modifying the partition value of rows.",
                     name, tenant),
        arena_printf(
            rw->arena,
            "Leave %s out of SET, or say what it is in the condition: … WHERE %s = <the same value>. "
            "To move a row to another tenant, delete it and insert it again.",
            tenant, tenant));
}

/* One column of (a, b) = (SELECT …). */
typedef struct Selected {
    SetValue value;
    int column;
    const char *made;
} Selected;

static void put_selected(Rewrite *rw, uint32_t offset, const void *arg) {
    const Selected *selected = arg;

    edits_insert(rw->edits, rw->arena, offset,
                 str_of(arena_printf(rw->arena, "(SELECT %s.c%d FROM ", selected->made, selected->column)));
    edits_insert_copy(rw->edits, rw->arena, offset, selected->value.value);
    edits_insert(
        rw->edits, rw->arena, offset,
        str_of(arena_printf(rw->arena, " %s%s)", selected->made, set_made_columns(rw, &selected->value))));
}

static void carry(Rewrite *rw, const SetList *set, const Table *table, int index) {
    Selected selected = {.value = set_value(rw, set, index)};
    const Expr *source = set_source(rw, set, index);
    CarryValue value = {.copy = selected.value.value, .exprs = &source, .nexprs = 1};
    const char *why;

    if (selected.value.form == SET_SELECT) {
        selected.column = index - selected.value.first + 1;
        selected.made = rewrite_made_name(rw);
        value.put = put_selected;
        value.arg = &selected;
    }
    if (set->targets[index].indirection)
        why = "only a part of the value is set";
    else
        why = carry_problem(rw, set, table, &value);
    if (why)
        carry_leave(rw, table, why);
    else
        carry_edit(rw, set, table, &value);
}

static void tenant_is_set(Rewrite *rw, const SetList *set, const Table *table) {
    const bool distributed = rewrite_is_distributed(table), needed = carry_needed(rw, table);
    SetTenant kind;
    int index;

    if (!distributed && !needed && !(rewrite_is_migrating(table) && rewrite_needs_values(table)))
        return;
    kind = set_tenant(rw, set, table, &index);
    if (kind == SET_TENANT_EQUAL)
        set_to_itself(rw, set, table, index);
    if (kind != SET_TENANT_ANOTHER || is_excluded(set, set->targets[index].expr, table->tenant->name))
        return;
    if (distributed)
        refuse_change(rw, table);
    else if (needed)
        carry(rw, set, table, index);
}

void update_rewrite_set(Rewrite *rw, const SetList *set, const Table *table) {
    bool moves = rewrite_is_migrating(table) && follow_moves(set, table);

    if (!moves && table->tenant && set_index(set, table->tenant->name) >= 0)
        tenant_is_set(rw, set, table);
    else if (moves && !rewrite_needs_values(table))
        follow(rw, set, table);
    else if (moves && !pair_is_held(table))
        refuse_move(rw, table);
}

void update_rewrite(Rewrite *rw, const Block *update, const Table *table) {
    const SetList set = set_of_update(rw, update);

    update_rewrite_set(rw, &set, table);
}
