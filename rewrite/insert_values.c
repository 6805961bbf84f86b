/* INSERT … VALUES that stays VALUES: the tenant's column and, to each row, its value.
 *
 *   INSERT INTO line_items (order_id, name)           VALUES ($1, $2)
 *   INSERT INTO line_items (order_id, name, store_id) VALUES ($1, $2, (SELECT p1.store_id FROM … = CAST($1 AS
 * …)))
 *
 * or, where sub-selects may not be sent, a slot in the place of the sub-select.
 *
 * A foreign-key value that must be computed once moves into a CTE of its own, which is computed when its
 * first reader is, so that the order of evaluation within the row stays what it was:
 *
 *   WITH made_1(v) AS MATERIALIZED (SELECT (currval('s')))
 *   INSERT INTO line_items (order_id, name, store_id) VALUES ((SELECT made_1.v FROM made_1), $2, (SELECT …))
 *
 * So does a default that is computed; the column is named for it, if the statement does not. */
#include <string.h>

#include "parser/lex.h"
#include "rewrite/chain.h"
#include "rewrite/insert_plan.h"

typedef struct Editor {
    InsertPlan *plan;
    uint32_t start;  /* of the word INSERT, where a CTE goes if the statement has none */
    bool *is_filled; /* for each column of the key: the statement is made to fill it */
    bool has_ctes;
} Editor;

static void insert_text(Editor *e, uint32_t offset, const char *text) {
    edits_insert(e->plan->rw->edits, e->plan->rw->arena, offset, str_of(text));
}

/* ---- where a CTE can be put ---- */

/* The offset from which only what introduces this INSERT stands before its target: a CTE's head, EXPLAIN,
 * PREPARE. */
static size_t head_of(const InsertPlan *plan) {
    const Block *parent = plan->block->parent;

    for (int i = 0; parent && i < parent->nctes; i++) {
        if (parent->ctes[i].block == plan->block)
            return parent->ctes[i].location;
    }
    return plan->rw->statement->span.start;
}

/* Behind the last CTE, or in front of the word INSERT. */
static bool find_start(Editor *e) {
    const InsertPlan *plan = e->plan;
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
    e->start = (uint32_t)insert.start;
    return insert.end > 0;
}

static bool needs_cte(const InsertPlan *plan) {
    for (int row = 0; row < plan->nrows && plan->form == INSERT_SUBSELECTS; row++) {
        for (int k = 0; k < plan->fk->ncolumns; k++) {
            if (insert_plan_part(plan, row, k)->use != CELL_COPY && plan->tenants[row] == ROW_BY_KEY)
                return true;
        }
    }
    return false;
}

/* Moves the value into a CTE and returns the text that reads it. */
static Str compute_once(Editor *e, const KeyPart *part) {
    Rewrite *rw = e->plan->rw;
    const bool append = e->plan->block->with_end > 0 || e->has_ctes;
    const uint32_t offset = e->plan->block->with_end > 0 ? e->plan->block->with_end : e->start;
    const char *name = rewrite_made_name(rw);

    insert_text(e, offset,
                arena_printf(rw->arena, "%s%s(v) AS MATERIALIZED (SELECT (", append ? ", " : "WITH ", name));
    if (part->cell)
        edits_insert_copy(rw->edits, rw->arena, offset, part->from.copy);
    else
        edits_insert(rw->edits, rw->arena, offset, part->from.text);
    insert_text(e, offset, "))");
    e->has_ctes = true;
    return str_of(arena_printf(rw->arena, "(SELECT %s.v FROM %s)", name, name));
}

/* ---- the edits ---- */

static const Cell *cell_of(const InsertPlan *plan, int row, int k) {
    return plan->positions[k] < 0 ? NULL : &plan->block->rows[row].cells[plan->positions[k]];
}

static void replace_cell(Editor *e, const Cell *cell, Str text) {
    Rewrite *rw = e->plan->rw;

    edits_insert(rw->edits, rw->arena, cell->span.start, text);
    edits_remove(rw->edits, rw->arena, cell->span);
}

/* The row's key, each value in a form that may be written twice. */
static const TenantSource *row_key(Editor *e, int row) {
    const InsertPlan *plan = e->plan;
    TenantSource *sources = ARENA_ARRAY(plan->rw->arena, TenantSource, plan->fk->ncolumns);

    for (int k = 0; k < plan->fk->ncolumns; k++) {
        const KeyPart *part = insert_plan_part(plan, row, k);
        const Cell *cell = cell_of(plan, row, k);

        sources[k] = part->from;
        if (part->use != CELL_COPY && plan->form == INSERT_SUBSELECTS) {
            sources[k].text = compute_once(e, part);
            if (cell)
                replace_cell(e, cell, sources[k].text);
        }
    }
    return sources;
}

/* What a row gets behind its cells: the key's columns that it did not fill, and the tenant. */
static void edit_row(Editor *e, int row, uint32_t end) {
    InsertPlan *plan = e->plan;
    Rewrite *rw = plan->rw;
    const bool by_key = plan->tenants[row] == ROW_BY_KEY;
    const TenantSource *sources = by_key ? row_key(e, row) : NULL;
    const char *comma = plan->ncells > 0 ? ", " : "";

    for (int k = 0; k < plan->fk->ncolumns; k++) {
        if (!e->is_filled[k])
            continue;
        insert_text(e, end, comma);
        edits_insert(rw->edits, rw->arena, end, by_key ? sources[k].text : str_of("DEFAULT"));
        comma = ", ";
    }
    insert_text(e, end, comma);
    if (plan->form == INSERT_SUBSELECTS && by_key) {
        insert_plan_open(plan, row, end);
        tenant_expr_insert(rw, end, plan->table, sources);
        insert_plan_close(plan, row, end);
    } else if (plan->tenants[row] == ROW_BY_TEXT) {
        chain_put(plan, row, end);
    } else if (plan->slots) {
        edits_insert_slot(rw->edits, rw->arena, end, insert_plan_slot(plan, row));
    } else {
        insert_text(e, end, "NULL");
    }
}

static uint32_t list_place(const Block *block) {
    if (block->has_column_list)
        return block->column_list.end - 1;
    return block->default_values ? block->default_values_span.start : block->target_end;
}

/* Without a column list the values fill the columns from the first one on, generated ones included. */
static void edit_columns(Editor *e) {
    const InsertPlan *plan = e->plan;
    const Block *block = plan->block;
    const char **names = ARENA_ARRAY(plan->rw->arena, const char *, plan->ncells + plan->fk->ncolumns + 1);
    int n = 0;
    Buf sql = {0};

    for (int i = 0; i < plan->ncells && !block->has_column_list; i++)
        names[n++] = plan->columns[i]->name;
    for (int k = 0; k < plan->fk->ncolumns; k++) {
        if (e->is_filled[k])
            names[n++] = plan->fk->child_columns[k]->name;
    }
    names[n++] = plan->table->tenant_column;
    buf_append_cstr(&sql, block->has_column_list ? ", " : block->default_values ? "(" : " (");
    insert_plan_put_names(&sql, names, n);
    buf_append_cstr(&sql, block->has_column_list ? "" : block->default_values ? ") VALUES (" : ")");
    edits_insert(plan->rw->edits, plan->rw->arena, list_place(block),
                 arena_str(plan->rw->arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)}));
    buf_free(&sql);
}

static void find_filled(Editor *e) {
    const InsertPlan *plan = e->plan;

    e->is_filled = ARENA_ARRAY(plan->rw->arena, bool, plan->fk->ncolumns);
    for (int k = 0; k < plan->fk->ncolumns; k++)
        e->is_filled[k] = plan->positions[k] < 0 && plan->defaults[k].kind == INSERT_DEFAULT_COMPUTED;
}

bool insert_values_edit(InsertPlan *plan) {
    Editor e = {.plan = plan};
    const Block *block = plan->block;

    if (needs_cte(plan) && !find_start(&e)) {
        plan->why = "where the statement starts is not known";
        return false;
    }
    find_filled(&e);
    edit_columns(&e);
    if (block->default_values) {
        edit_row(&e, 0, block->default_values_span.start);
        insert_text(&e, block->default_values_span.start, ")");
        edits_remove(plan->rw->edits, plan->rw->arena, block->default_values_span);
    }
    for (int row = 0; row < block->nrows; row++)
        edit_row(&e, row, block->rows[row].span.end - 1);
    if (e.has_ctes && block->with_end == 0)
        insert_text(&e, e.start, " ");
    return true;
}
