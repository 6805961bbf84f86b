/* What is known of an INSERT before any form is chosen: its columns, the values of each row's foreign key,
 * and where the row's tenant comes from. */
#include "rewrite/insert_plan.h"

#include <string.h>

#include "rewrite/chain.h"
#include "rewrite/insert.h"
#include "rewrite/insert_sequence.h"
#include "rewrite/slot.h"
#include "rewrite/written.h"

const KeyPart *insert_plan_part(const InsertPlan *plan, int row, int k) {
    return &plan->parts[row * plan->fk->ncolumns + k];
}

bool insert_plan_nullable(const InsertPlan *plan) {
    const Table *table = plan->table;

    return table->on_unknown == ON_UNKNOWN_PASS ||
           (table->on_unknown == ON_UNKNOWN_AUTO && table->stage < STAGE_KEYED);
}

void insert_plan_put_names(Buf *sql, const char *const *names, int n) {
    for (int i = 0; i < n; i++) {
        buf_append_cstr(sql, i == 0 ? "" : ", ");
        quote_identifier(sql, names[i]);
    }
}

/* ---- may this INSERT be rewritten at all? ---- */

static void cannot(InsertPlan *plan, const char *why) {
    if (!plan->why)
        plan->why = why;
}

static void server_errs(InsertPlan *plan, const char *why) {
    if (!plan->why)
        plan->errs = true;
    cannot(plan, why);
}

static void look_at_shape(InsertPlan *plan) {
    const Block *block = plan->block;
    const uint32_t list_end = block->has_column_list ? block->column_list.end : block->target_end;

    if (!block->default_values && block->nrows == 0)
        cannot(plan, "there are no VALUES to add it to");
    else if (!insert_rows_fit(block, plan->table))
        server_errs(plan, "the rows do not fit the columns");
    else if (list_end == 0 ||
             (block->default_values ? block->default_values_span.end : block->rows[0].span.end) == 0)
        cannot(plan, "where its parts stand in the text is not known");
}

static void look_at_table(InsertPlan *plan) {
    const Table *table = plan->table;

    if (table->kind != KIND_BACKFILL || table->path.nsteps == 0)
        cannot(plan, "no foreign key leads to its tenant");
    else if (!table->tenant)
        server_errs(plan, "the table has no such column yet");
    else
        cannot(plan, tenant_expr_problem(plan->rw, table));
}

/* A value can be found out only for a statement that is sent by itself, and run as it is sent. */
static bool is_alone(const Rewrite *rw, const Block *block) {
    while (block->parent)
        block = block->parent;
    return !rw->several && block == rw->statement->block;
}

/* ---- columns and cells ---- */

static void list_columns(InsertPlan *plan) {
    const Block *block = plan->block;

    plan->nrows = block->default_values ? 1 : block->nrows;
    plan->ncells = block->default_values ? 0 : block->rows[0].ncells;
    plan->columns = ARENA_ARRAY(plan->rw->arena, const Column *, plan->ncells);
    for (int i = 0; i < plan->ncells; i++) {
        if (!block->has_column_list)
            plan->columns[i] = &plan->table->columns[i];
        else if (block->columns[i])
            plan->columns[i] = table_column(plan->table, block->columns[i]);
    }
}

static KeyPart part_of_default(InsertPlan *plan, int k) {
    const InsertDefault *value = &plan->defaults[k];
    KeyPart part = {.expr = value->expr, .from = {.text = value->text}};

    part.use = value->kind == INSERT_DEFAULT_COMPUTED ? CELL_ONCE : CELL_COPY;
    part.null = value->kind == INSERT_DEFAULT_NULL;
    if (value->kind == INSERT_DEFAULT_UNKNOWN)
        cannot(plan, arena_printf(plan->rw->arena, "the value of %s is made by its default",
                                  plan->fk->child_columns[k]->name));
    return part;
}

static KeyPart part_of_cell(InsertPlan *plan, int k, const Cell *cell) {
    const Column *column = plan->fk->child_columns[k];
    KeyPart part = {.use = cell_use(plan->rw, cell->expr), .cell = cell, .expr = cell->expr};

    part.from.copy = cell->span;
    part.null = cell->expr && cell->expr->kind == EXPR_CONST && cell->expr->const_type == CONST_NULL;
    if (part.use == CELL_LEAVE || cell_fits_no_key(cell->expr))
        server_errs(plan, arena_printf(plan->rw->arena, "the value of %s may be no scalar", column->name));
    else if (part.use == CELL_SET && plan->nrows > 1)
        server_errs(plan, arena_printf(plan->rw->arena, "the value of %s is a set", column->name));
    else if (column->generated || column->identity)
        cannot(plan, arena_printf(plan->rw->arena, "%s is generated", column->name));
    return part;
}

static void judge_row(InsertPlan *plan, int row) {
    plan->tenants[row] = ROW_BY_KEY;
    for (int k = 0; k < plan->fk->ncolumns && !plan->why; k++) {
        KeyPart *part = &plan->parts[row * plan->fk->ncolumns + k];
        const Cell *cell = plan->positions[k] < 0 ? NULL : &plan->block->rows[row].cells[plan->positions[k]];

        if (!cell || (cell->expr && cell->expr->kind == EXPR_DEFAULT))
            *part = part_of_default(plan, k);
        else
            *part = part_of_cell(plan, k, cell);
        if (part->null)
            plan->tenants[row] = ROW_BY_SESSION;
    }
}

static void find_keys(InsertPlan *plan) {
    const int nkeys = plan->fk->ncolumns;

    plan->positions = ARENA_ARRAY(plan->rw->arena, int, nkeys);
    plan->defaults = ARENA_ARRAY(plan->rw->arena, InsertDefault, nkeys);
    for (int k = 0; k < nkeys; k++) {
        const Column *column = plan->fk->child_columns[k];

        plan->defaults[k] = insert_default(plan->rw, column);
        plan->positions[k] =
            plan->block->default_values ? -1 : insert_column_index(plan->block, plan->table, column->name);
        if (plan->positions[k] < 0 && plan->block->indirection)
            cannot(plan, "a column is assigned in part");
    }
}

static void judge_rows(InsertPlan *plan) {
    Rewrite *rw = plan->rw;
    bool reads_sequence = false;

    find_keys(plan);
    plan->parts = ARENA_ARRAY(rw->arena, KeyPart, (size_t)plan->fk->ncolumns * (size_t)plan->nrows);
    plan->tenants = ARENA_ARRAY(rw->arena, RowTenant, plan->nrows);
    plan->foreseen = plan->slots && rewrite_needs_values(plan->table);
    for (int row = 0; row < plan->nrows && !plan->why; row++) {
        judge_row(plan, row);
        for (int k = 0; k < plan->fk->ncolumns && plan->tenants[row] == ROW_BY_KEY; k++) {
            const KeyPart *part = insert_plan_part(plan, row, k);

            if (part->use != CELL_COPY)
                plan->foreseen = plan->foreseen && cell_is_foreseeable(rw, part->expr, &reads_sequence);
        }
    }
    if (!plan->why && plan->foreseen && reads_sequence)
        plan->foreseen = insert_sequence_is_quiet(plan);
}

void insert_plan(InsertPlan *plan, Rewrite *rw, const Block *block, const Table *table) {
    *plan = (InsertPlan){.rw = rw, .block = block, .table = table};
    plan->given = !block->default_values && insert_gives_tenant(block, table);
    plan->slots = is_alone(rw, block);
    look_at_shape(plan);
    if (!plan->why)
        list_columns(plan);
    if (plan->given || plan->why)
        return;
    look_at_table(plan);
    if (plan->why)
        return;
    plan->fk = table->path.steps[0];
    judge_rows(plan);
    if (plan->why || !written_path(rw, table))
        return;
    if (chain_find(plan))
        plan->foreseen = true;
    else
        plan->why = "the same statement may write its parent, which a sub-select would not see";
}

/* ---- slots ---- */

static bool is_plain_literal(Str text, const KeyPart *part) {
    char first;

    if (!part->cell || part->expr->kind != EXPR_CONST)
        return false;
    first = text.ptr[part->cell->span.start];
    return first == '\'' || (first >= '0' && first <= '9') ||
           (first == '-' && part->expr->const_type != CONST_STRING);
}

static SlotKey key_of(const InsertPlan *plan, int row, int k) {
    const KeyPart *part = insert_plan_part(plan, row, k);
    SlotKey key = {.column = plan->fk->child_columns[k]};

    if (part->cell && part->expr->kind == EXPR_PARAM)
        key.param = part->expr->number;
    else if (part->cell)
        key.copy = part->from.copy;
    else
        key.text = part->from.text;
    key.literal = key.param == 0 && is_plain_literal(plan->rw->text, part);
    return key;
}

int insert_plan_slot(InsertPlan *plan, int row) {
    SlotKey *keys = NULL;

    if (plan->tenants[row] == ROW_BY_KEY) {
        keys = ARENA_ARRAY(plan->rw->arena, SlotKey, plan->fk->ncolumns);
        for (int k = 0; k < plan->fk->ncolumns; k++)
            keys[k] = key_of(plan, row, k);
    }
    return slot_add(plan->rw, plan->table, keys, insert_plan_nullable(plan));
}

/* ---- what the session knows where there is no parent ---- */

static bool may_be_null(const InsertPlan *plan, int row, int k) {
    const Expr *expr = insert_plan_part(plan, row, k)->expr;

    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return !plan->fk->child_columns[k]->not_null &&
           !(expr && expr->kind == EXPR_CONST && expr->const_type != CONST_NULL);
}

bool insert_plan_falls_back(const InsertPlan *plan, int row) {
    bool yes = false;

    if (!plan->rw->has_tenant || !plan->slots || plan->tenants[row] == ROW_BY_SESSION)
        return false;
    for (int k = 0; k < plan->fk->ncolumns; k++)
        yes |= may_be_null(plan, row, k);
    return yes;
}

int insert_plan_fallback(InsertPlan *plan) { return slot_add(plan->rw, plan->table, NULL, true); }

void insert_plan_open(InsertPlan *plan, int row, uint32_t offset) {
    if (insert_plan_falls_back(plan, row))
        edits_insert(plan->rw->edits, plan->rw->arena, offset, str_of("COALESCE("));
}

void insert_plan_close(InsertPlan *plan, int row, uint32_t offset) {
    Rewrite *rw = plan->rw;

    if (!insert_plan_falls_back(plan, row))
        return;
    edits_insert(rw->edits, rw->arena, offset, str_of(", "));
    edits_insert_slot(rw->edits, rw->arena, offset, insert_plan_fallback(plan));
    edits_insert(rw->edits, rw->arena, offset, str_of(")"));
}
