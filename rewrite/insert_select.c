/* INSERT … SELECT: which form the statement gets.
 *
 * The tenant that stands beside the key in the SELECT's own FROM is best: no second look at the parent, and
 * Citus takes it in all states of the tables. A key that is a literal or a parameter has one parent. Else the
 * SELECT becomes a sub-select, and the parents of its rows are looked up. */
#include "rewrite/insert_select.h"

#include <string.h>

#include "rewrite/cell.h"
#include "rewrite/insert_select_plan.h"
#include "rewrite/written.h"

static void cannot(SelectPlan *plan, const char *why) {
    if (!plan->why)
        plan->why = why;
}

static void server_errs(SelectPlan *plan, const char *why) {
    if (!plan->why)
        plan->errs = true;
    cannot(plan, why);
}

/* ---- columns ---- */

static bool has_list_with(const Block *block, const char *column) {
    for (int i = 0; i < block->ncolumns; i++) {
        if (block->columns[i] && strcmp(block->columns[i], column) == 0)
            return true;
    }
    return false;
}

/* Whether the SELECT fills the tenant column: by the list, or being wide enough. */
static bool gives_tenant(const SelectPlan *plan) {
    if (plan->block->has_column_list)
        return has_list_with(plan->block, plan->table->tenant_column);
    return plan->table->tenant && plan->outputs.known &&
           plan->outputs.n > plan->table->tenant - plan->table->columns;
}

static void look_at_shape(SelectPlan *plan) {
    const Block *block = plan->block;
    const uint32_t list_end = block->has_column_list ? block->column_list.end : block->target_end;

    if (block->has_column_list)
        plan->width = block->ncolumns;
    else
        plan->width = plan->outputs.n;
    if (!block->has_column_list && !plan->outputs.known)
        cannot(plan, "how many columns the query has is not known");
    else if (plan->outputs.known && (plan->outputs.n != plan->width || plan->width > plan->table->ncolumns))
        server_errs(plan, "the query does not fit the columns");
    else if (list_end == 0 || plan->source->span.end == 0)
        cannot(plan, "where its parts stand in the text is not known");
    else if (block->indirection)
        cannot(plan, "a column is assigned in part");
}

static void look_at_table(SelectPlan *plan) {
    const Table *table = plan->table;

    if (table->kind != KIND_BACKFILL || table->path.nsteps == 0)
        cannot(plan, "no foreign key leads to its tenant");
    else if (!table->tenant)
        server_errs(plan, "the table has no such column yet");
}

static void list_columns(SelectPlan *plan) {
    plan->columns = ARENA_ARRAY(plan->rw->arena, const Column *, plan->width);
    for (int i = 0; i < plan->width; i++)
        plan->columns[i] = plan->block->has_column_list ? table_column(plan->table, plan->block->columns[i])
                                                        : &plan->table->columns[i];
}

static void find_keys(SelectPlan *plan) {
    const int nkeys = plan->fk->ncolumns;

    plan->positions = ARENA_ARRAY(plan->rw->arena, int, nkeys);
    plan->defaults = ARENA_ARRAY(plan->rw->arena, InsertDefault, nkeys);
    for (int k = 0; k < nkeys; k++) {
        const Column *column = plan->fk->child_columns[k];

        plan->positions[k] = -1;
        for (int i = 0; i < plan->width; i++) {
            if (plan->columns[i] == column)
                plan->positions[k] = i;
        }
        if (plan->positions[k] >= 0)
            continue;
        plan->defaults[k] = insert_default(plan->rw, column);
        plan->orphan |= plan->defaults[k].kind == INSERT_DEFAULT_NULL;
        if (plan->defaults[k].kind > INSERT_DEFAULT_CONSTANT)
            cannot(plan,
                   arena_printf(plan->rw->arena, "the value of %s is made by its default", column->name));
    }
}

/* A value can be found out only for a statement that is sent by itself, and run as it is sent. */
bool insert_select_is_alone(const Rewrite *rw, const Block *block) {
    while (block->parent)
        block = block->parent;
    return !rw->several && block == rw->statement->block;
}

static bool may_be_null(const SelectPlan *plan, int k) {
    const int position = plan->positions[k];
    const Expr *expr = NULL;

    if (position < 0 || plan->fk->child_columns[k]->not_null)
        return false;
    if (position < plan->outputs.n)
        expr = plan->outputs.columns[position].expr;
    return !expr || expr->kind != EXPR_CONST || expr->const_type == CONST_NULL;
}

static void find_fallback(SelectPlan *plan) {
    if (!plan->rw->has_tenant || plan->orphan || !insert_select_is_alone(plan->rw, plan->block))
        return;
    for (int k = 0; k < plan->fk->ncolumns; k++)
        plan->falls_back |= may_be_null(plan, k);
}

bool insert_select_plan(SelectPlan *plan, Rewrite *rw, const Block *block, const Table *table) {
    int budget = OUTPUTS_BUDGET;

    *plan = (SelectPlan){.rw = rw, .block = block, .table = table, .source = block->source};
    plan->outputs = outputs_of_block(rw, block->source, &budget);
    if (gives_tenant(plan))
        return false;
    look_at_shape(plan);
    look_at_table(plan);
    if (plan->why)
        return true;
    plan->fk = table->path.steps[0];
    list_columns(plan);
    find_keys(plan);
    find_fallback(plan);
    return true;
}

/* ---- the edits ---- */

/* Without a column list the SELECT fills the columns from the first one on, generated ones included. */
static void edit_columns(const SelectPlan *plan) {
    Rewrite *rw = plan->rw;
    const Block *block = plan->block;
    Buf sql = {0};

    for (int i = 0; !block->has_column_list && i < plan->width; i++) {
        buf_append_cstr(&sql, i == 0 ? " (" : ", ");
        quote_identifier(&sql, plan->columns[i]->name);
    }
    buf_append_cstr(&sql, ", ");
    quote_identifier(&sql, plan->table->tenant_column);
    if (!block->has_column_list)
        buf_append_cstr(&sql, ")");
    edits_insert(rw->edits, rw->arena,
                 block->has_column_list ? block->column_list.end - 1 : block->target_end,
                 arena_str(rw->arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)}));
    buf_free(&sql);
}

static bool edit(SelectPlan *plan) {
    if (insert_select_append(plan))
        return true;
    if (plan->orphan)
        cannot(plan, arena_printf(plan->rw->arena, "without %s the row has no parent",
                                  plan->fk->child_columns[0]->name));
    cannot(plan, tenant_expr_problem(plan->rw, plan->table));
    if (written_path(plan->rw, plan->table))
        cannot(plan, "the same statement may write its parent, which a sub-select would not see");
    return !plan->why && insert_select_wrap(plan);
}

/* What reads tables there is refused by Citus, or silently finds them empty. */
static bool refuse(Rewrite *rw, const Block *block, const Table *table) {
    bool reads = false, any = false;

    for (int i = 0; i < block->nreturning; i++)
        any |= cell_has_sublink(block->returning[i].expr, &reads);
    for (int i = 0; i < block->nconflict_set; i++)
        any |= cell_has_sublink(block->conflict_set[i].expr, &reads);
    any |= cell_has_sublink(block->conflict_set_where, &reads);
    if (!any || !reads || !rewrite_needs_values(table))
        return false;
    rewrite_refuse(rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
                   "sub-selects that read tables are not supported in RETURNING and ON CONFLICT DO UPDATE",
                   arena_printf(rw->arena, "Table \"%s\" is distributed, or about to be.", table->name),
                   "Read those tables in a statement of its own.");
    return true;
}

void insert_select_rewrite(Rewrite *rw, const Block *block, const Table *table) {
    SelectPlan plan;

    if (refuse(rw, block, table) || !insert_select_plan(&plan, rw, block, table))
        return;
    if (!plan.why && edit(&plan)) {
        edit_columns(&plan);
        rw->decision->rewritten = true;
    } else if (plan.errs) {
        rewrite_leave(rw, table, plan.why);
    } else {
        rewrite_unknown(rw, table, plan.why);
    }
}
