/* Adding the tenant to INSERT … VALUES, stages derive and keyed.
 *
 *   INSERT INTO line_items (order_id, name)           VALUES ($1, $2)
 *   INSERT INTO line_items (order_id, name, store_id) VALUES ($1, $2, (SELECT p1.store_id FROM … = CAST($1 AS
 * …)))
 *
 * A foreign-key value that must be computed once moves into a CTE of its own, which is computed when its
 * first reader is, so that the order of evaluation within the row stays what it was:
 *
 *   WITH made_1(v) AS MATERIALIZED (SELECT (f()))
 *   INSERT INTO line_items (order_id, name, store_id) VALUES ((SELECT made_1.v FROM made_1), $2, (SELECT …))
 *
 * All edits of one statement are worked out before the first is recorded: it is rewritten whole or not at
 * all. */
#include "rewrite/insert.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/cell.h"
#include "rewrite/insert_default.h"
#include "rewrite/survey.h"
#include "rewrite/tenant_expr.h"

/* What one INSERT needs, worked out before anything is edited. */
typedef struct Plan {
    Rewrite *rw;
    const Block *block;
    const Table *table;
    const ForeignKey *fk;
    int *positions;                /* of the key's columns in a row; -1: the statement does not fill it */
    const InsertDefault *defaults; /* per column of the key; used where the cell is DEFAULT or missing */
    CellUse *uses;                 /* per row and column of the key */
    uint32_t start;                /* of the word INSERT; only where some cell is CELL_ONCE */
    const char *why;               /* not NULL: leave it */
} Plan;

int insert_column_index(const Block *block, const Table *table, const char *column) {
    int n = block->has_column_list ? block->ncolumns : block->nrows > 0 ? block->rows[0].ncells : 0;

    for (int i = 0; i < n; i++) {
        const char *name = block->has_column_list ? block->columns[i] : NULL;

        if (!block->has_column_list && i < table->ncolumns)
            name = table->columns[i].name;
        if (name && strcmp(name, column) == 0)
            return i;
    }
    return -1;
}

bool insert_gives_tenant(const Block *block, const Table *table) {
    return insert_column_index(block, table, table->tenant_column) >= 0;
}

bool insert_rows_fit(const Block *block, const Table *table) {
    int n = block->has_column_list ? block->ncolumns : block->nrows > 0 ? block->rows[0].ncells : 0;

    for (int i = 0; i < block->nrows; i++) {
        if (block->rows[i].ncells != n)
            return false;
    }
    return block->has_column_list || n <= table->ncolumns;
}

/* ---- may this INSERT be rewritten at all? ---- */

/* Whether one is the other, or both belong to one partitioned table, at any depth. */
static bool may_overlap(const Table *a, const Table *b) {
    return a == b || ((a->relkind == 'p' || a->partition_of) && (b->relkind == 'p' || b->partition_of));
}

/* All parts of one statement see the tables as they were before it, so a sub-select does not find a parent
 * that the same statement writes. */
static bool parent_is_written(const Plan *plan) {
    const Survey *survey = plan->rw->survey;
    const TenantPath *path = &plan->table->path;
    bool found = survey->writes_unknown;

    for (int i = 0; i < survey->written.n && !found; i++) {
        found = survey->written.tables[i]->relkind == 'v';
        for (int k = 0; k < path->nsteps && !found; k++)
            found = may_overlap(survey->written.tables[i], path->steps[k]->parent) &&
                    survey->written.tables[i] != plan->table;
    }
    return found;
}

static const char *shape_problem(const Plan *plan) {
    const Block *block = plan->block;

    if (block->default_values)
        return "DEFAULT VALUES gives the row no parent";
    if (block->source)
        return "INSERT … SELECT is not rewritten";
    if (block->nrows == 0)
        return "there are no VALUES to add it to";
    if (!insert_rows_fit(block, plan->table))
        return "the rows do not fit the columns";
    if (block->rows[0].span.end == 0 ||
        (block->has_column_list ? block->column_list.end : block->target_end) == 0)
        return "where its parts stand in the text is not known";
    return NULL;
}

static const char *stage_problem(const Plan *plan) {
    const Table *table = plan->table;

    if (table->kind != KIND_BACKFILL || table->path.nsteps == 0)
        return "no foreign key leads to its tenant";
    if (!table->tenant)
        return "the table has no such column yet";
    if (table->stage >= STAGE_RESOLVE)
        return arena_printf(plan->rw->arena,
                            "in stage %s it has to be a value that is known before the statement is sent",
                            stage_name(table->stage));
    return tenant_expr_problem(plan->rw, table);
}

/* ---- the cells of the key ---- */

static const Cell *key_cell(const Plan *plan, int row, int k) {
    return plan->positions[k] < 0 ? NULL : &plan->block->rows[row].cells[plan->positions[k]];
}

static CellUse *key_use(const Plan *plan, int row, int k) {
    return &plan->uses[row * plan->fk->ncolumns + k];
}

/* The offset from which only what introduces this INSERT stands before its target: a CTE's head, EXPLAIN,
 * PREPARE. */
static size_t head_of(const Plan *plan) {
    const Block *parent = plan->block->parent;

    for (int i = 0; parent && i < parent->nctes; i++) {
        if (parent->ctes[i].block == plan->block)
            return parent->ctes[i].location;
    }
    return plan->rw->statement->span.start;
}

/* Where a CTE can be put: behind the last one, or in front of the word INSERT. */
static bool find_start(Plan *plan) {
    const Str text = plan->rw->text;
    const size_t target = plan->block->target->span.start;
    LexToken insert = {0}, token = lex_next(text.ptr, target, head_of(plan));

    if (plan->block->with_end > 0)
        return true;
    for (; token.kind != LEX_END && token.kind != LEX_UNTERMINATED;
         token = lex_next(text.ptr, target, token.end)) {
        if (lex_is_word(text.ptr, token, "insert"))
            insert = token;
    }
    plan->start = (uint32_t)insert.start;
    return insert.end > 0;
}

static void judge_cell(Plan *plan, int row, int k) {
    const Cell *cell = key_cell(plan, row, k);
    const Column *column = plan->fk->child_columns[k];
    CellUse use = cell ? cell_use(plan->rw, cell->expr) : CELL_DEFAULT;

    *key_use(plan, row, k) = use;
    if (use == CELL_DEFAULT && plan->defaults[k].kind == INSERT_DEFAULT_UNKNOWN)
        plan->why = arena_printf(plan->rw->arena, "the value of %s is made by its default", column->name);
    else if (use == CELL_LEAVE)
        plan->why = arena_printf(plan->rw->arena, "the value of %s may be no scalar", column->name);
    else if (cell && use != CELL_DEFAULT && (column->generated || column->identity))
        plan->why = arena_printf(plan->rw->arena, "%s is generated", column->name);
    else if (use == CELL_ONCE && !find_start(plan))
        plan->why = "where the statement starts is not known";
}

static bool key_is_null(const Plan *plan, int row) {
    for (int k = 0; k < plan->fk->ncolumns; k++) {
        if (*key_use(plan, row, k) == CELL_DEFAULT && plan->defaults[k].kind == INSERT_DEFAULT_NULL)
            return true;
    }
    return false;
}

static void judge_cells(Plan *plan) {
    const int nkeys = plan->fk->ncolumns, nrows = plan->block->nrows;
    bool all_null = true;

    plan->positions = ARENA_ARRAY(plan->rw->arena, int, nkeys);
    plan->defaults = insert_defaults(plan->rw, plan->fk);
    plan->uses = ARENA_ARRAY(plan->rw->arena, CellUse, (size_t)nkeys * (size_t)nrows);
    for (int k = 0; k < nkeys; k++)
        plan->positions[k] = insert_column_index(plan->block, plan->table, plan->fk->child_columns[k]->name);
    for (int row = 0; row < nrows && !plan->why; row++) {
        for (int k = 0; k < nkeys && !plan->why; k++)
            judge_cell(plan, row, k);
        all_null = all_null && key_is_null(plan, row);
    }
    if (!plan->why && all_null)
        plan->why = arena_printf(plan->rw->arena, "without %s the row has no parent",
                                 plan->fk->child_columns[0]->name);
}

/* ---- the edits ---- */

static void insert_text(Rewrite *rw, uint32_t offset, const char *text) {
    edits_insert(rw->edits, rw->arena, offset, str_of(text));
}

/* Moves the cell into a CTE, reads it from there, and returns the text that reads it once more. */
static Str compute_once(Plan *plan, const Cell *cell, bool *first) {
    Rewrite *rw = plan->rw;
    const bool append = plan->block->with_end > 0 || !*first;
    const uint32_t offset = plan->block->with_end > 0 ? plan->block->with_end : plan->start;
    const char *name = rewrite_made_name(rw);
    const char *read = arena_printf(rw->arena, "(SELECT %s.v FROM %s)", name, name);

    insert_text(rw, offset,
                arena_printf(rw->arena, "%s%s(v) AS MATERIALIZED (SELECT (", append ? ", " : "WITH ", name));
    edits_insert_copy(rw->edits, rw->arena, offset, cell->span);
    insert_text(rw, offset, "))");
    insert_text(rw, cell->span.start, read);
    edits_remove(rw->edits, rw->arena, cell->span);
    *first = false;
    return str_of(read);
}

static void edit_row(Plan *plan, int row, bool *first) {
    Rewrite *rw = plan->rw;
    const int nkeys = plan->fk->ncolumns;
    const uint32_t end = plan->block->rows[row].span.end - 1;
    TenantSource *sources = ARENA_ARRAY(rw->arena, TenantSource, nkeys);

    for (int k = 0; k < nkeys; k++) {
        const Cell *cell = key_cell(plan, row, k);

        if (*key_use(plan, row, k) == CELL_DEFAULT)
            sources[k].text = plan->defaults[k].text;
        else if (*key_use(plan, row, k) == CELL_ONCE)
            sources[k].text = compute_once(plan, cell, first);
        else
            sources[k].copy = cell->span;
    }
    insert_text(rw, end, ", ");
    if (key_is_null(plan, row))
        insert_text(rw, end, "NULL");
    else
        tenant_expr_insert(rw, end, plan->table, sources);
}

/* Without a column list the values fill the columns from the first one on, generated ones included. */
static void edit_columns(const Plan *plan) {
    Rewrite *rw = plan->rw;
    const Block *block = plan->block;
    const uint32_t offset = block->has_column_list ? block->column_list.end - 1 : block->target_end;
    Buf sql = {0};

    if (!block->has_column_list) {
        for (int i = 0; i < block->rows[0].ncells; i++) {
            buf_append_cstr(&sql, i == 0 ? " (" : ", ");
            quote_identifier(&sql, plan->table->columns[i].name);
        }
    }
    buf_append_cstr(&sql, ", ");
    quote_identifier(&sql, plan->table->tenant_column);
    if (!block->has_column_list)
        buf_append_cstr(&sql, ")");
    edits_insert(rw->edits, rw->arena, offset,
                 arena_str(rw->arena, (Str){(char *)buf_ptr(&sql), buf_len(&sql)}));
    buf_free(&sql);
}

void insert_rewrite(Rewrite *rw, const Block *block, const Table *table) {
    Plan plan = {.rw = rw, .block = block, .table = table};
    bool first = true;

    if (!block->source && !block->default_values && insert_gives_tenant(block, table))
        return;
    if (block->source && block->has_column_list && insert_gives_tenant(block, table))
        return;
    plan.why = shape_problem(&plan);
    if (!plan.why)
        plan.why = stage_problem(&plan);
    if (!plan.why) {
        plan.fk = table->path.steps[0];
        judge_cells(&plan);
    }
    if (!plan.why && parent_is_written(&plan))
        plan.why = "the same statement may write its parent, which a sub-select would not see";
    if (plan.why) {
        rewrite_leave(rw, table, plan.why);
        return;
    }
    edit_columns(&plan);
    for (int row = 0; row < block->nrows; row++)
        edit_row(&plan, row, &first);
    if (!first && block->with_end == 0)
        insert_text(rw, plan.start, " ");
    rw->decision->rewritten = true;
}
