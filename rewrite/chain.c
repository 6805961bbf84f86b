/* Two ways in which INSERT … VALUES names a parent that the same statement makes:
 *
 *   WITH o AS (INSERT INTO orders … RETURNING order_id, store_id AS made_1)
 *   INSERT INTO line_items (order_id, store_id) VALUES ((SELECT order_id FROM o), (SELECT o.made_1 FROM o))
 *
 *   WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ($1, $2))
 *   INSERT INTO line_items (order_id, store_id) VALUES ($1, CAST($2 AS …))
 *
 * In the second, only equal texts are taken for equal values. */
#include "rewrite/chain.h"

#include <string.h>

#include "rewrite/insert.h"
#include "rewrite/trace.h"
#include "rewrite/walk.h"

/* A row's tenant: the sub-select of its key with another column, or the value that its parent is given. */
typedef struct Link {
    const Block *query; /* NULL: */
    Span copy;
    const char *text; /* with `query`: the column */
    const char *name; /* the column stands beside the key, under this name; NULL: in its place */
} Link;

typedef struct Chain {
    Trace trace;
    Link *links; /* for each row */
} Chain;

/* ---- (SELECT order_id FROM o) ---- */

static const Expr *without_casts(const Expr *expr) {
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr;
}

static bool by_query(Chain *chain, const InsertPlan *plan, int row) {
    const Expr *expr = without_casts(insert_plan_part(plan, row, 0)->expr);
    const Block *query = expr ? expr->block : NULL;
    const int first = 0;
    Link *link = &chain->links[row];

    if (!query || plan->fk->ncolumns > 1 || expr->kind != EXPR_SUBLINK || expr->sublink != SUBLINK_EXPR ||
        query->kind != BLOCK_SELECT || query->ntargets != 1 || query->span.end == 0 ||
        query->targets[0].span.end == 0)
        return false;
    link->text = trace_column(&chain->trace, query, &first);
    link->query = query;
    /* What refers to the list must go on meaning the key. */
    if (query->norder_by > 0 || query->ngroup_by > 0 || query->distinct)
        link->name = rewrite_made_name(plan->rw);
    return link->text != NULL;
}

/* ---- the same value ---- */

static bool is_same_value(Rewrite *rw, const Expr *a, const Expr *b) {
    if (!a || !b || a->kind != b->kind)
        return false;
    if (a->kind == EXPR_PARAM)
        return a->number > 0 && a->number == b->number;
    if (a->kind != EXPR_CONST || a->const_type != b->const_type ||
        (a->const_type != CONST_INTEGER && a->const_type != CONST_STRING))
        return false;
    rw->literals_matter = true;
    return a->value && b->value && strcmp(a->value, b->value) == 0;
}

static bool is_same_type(const Column *a, const Column *b) {
    return strcmp(a->type, b->type) == 0 && strcmp(a->type_schema, b->type_schema) == 0;
}

/* An INSERT into the parent, and the row of the child that may have its parent there. */
typedef struct Search {
    const InsertPlan *plan;
    int row;
    Span tenant;
    bool refused; /* a parent of the same key may be there already */
} Search;

static bool is_row_of_parent(const Search *s, const Block *block, const Row *row) {
    const InsertPlan *plan = s->plan;

    for (int k = 0; k < plan->fk->ncolumns; k++) {
        const int position = insert_column_index(block, plan->fk->parent, plan->fk->parent_columns[k]->name);

        if (position < 0 || position >= row->ncells ||
            !is_same_type(plan->fk->parent_columns[k], plan->fk->child_columns[k]) ||
            !is_same_value(plan->rw, row->cells[position].expr, insert_plan_part(plan, s->row, k)->expr))
            return false;
    }
    return true;
}

static void look_at_row(Search *s, const Block *block, const Row *row) {
    const Table *parent = s->plan->fk->parent;
    const int tenant = insert_column_index(block, parent, parent->tenant_column);
    const Cell *cell;

    if (tenant < 0 || tenant >= row->ncells || !is_row_of_parent(s, block, row))
        return;
    cell = &row->cells[tenant];
    if (cell->span.end > 0 && cell_use(s->plan->rw, cell->expr) == CELL_COPY)
        s->tenant = cell->span;
    s->refused |= block->conflict != CONFLICT_NONE;
}

static bool on_block(const Block *block, void *arg) {
    Search *s = arg;
    NameMeaning target;

    if (block->kind != BLOCK_INSERT || !block->target || block->source)
        return true;
    target = names_resolve(s->plan->rw->names, NULL, &block->target->name);
    for (int i = 0; i < block->nrows && target.kind == NAME_TABLE && target.table == s->plan->fk->parent; i++)
        look_at_row(s, block, &block->rows[i]);
    s->plan->rw->trace_work += 1 + block->nrows;
    s->refused |= s->plan->rw->trace_work > TRACE_MAX_WORK;
    return !s->refused;
}

static bool by_value(Chain *chain, const InsertPlan *plan, int row) {
    Search s = {.plan = plan, .row = row};

    if (!plan->fk->parent->tenant)
        return false;
    walk_statement(plan->rw->statement, &(Walk){.block = on_block, .arg = &s});
    chain->links[row].copy = s.tenant;
    return s.tenant.end > 0 && !s.refused;
}

/* ---- all rows ---- */

/* More are not looked at: each takes a look at the whole statement. */
#define MAX_ROWS 10000

bool chain_find(InsertPlan *plan) {
    Chain *chain = ARENA_NEW(plan->rw->arena, Chain);

    if (plan->nrows > MAX_ROWS)
        return false;
    chain->trace = trace_begin(plan->rw, plan->table);
    chain->links = ARENA_ARRAY(plan->rw->arena, Link, plan->nrows);
    for (int row = 0; row < plan->nrows; row++) {
        if (plan->tenants[row] == ROW_BY_KEY && !by_query(chain, plan, row) && !by_value(chain, plan, row))
            return false;
    }
    for (int row = 0; row < plan->nrows; row++) {
        if (plan->tenants[row] == ROW_BY_KEY)
            plan->tenants[row] = ROW_BY_TEXT;
    }
    plan->chain = chain;
    return true;
}

static void put(Rewrite *rw, uint32_t offset, const char *text) {
    edits_insert(rw->edits, rw->arena, offset, str_of(text));
}

/* "(SELECT o.made_1 FROM o)"; "(SELECT q.made_2 FROM (SELECT order_id, o.made_1 AS made_2 FROM o ORDER BY 1)
 * q)". */
static void put_query(Rewrite *rw, uint32_t offset, const Link *link) {
    const Span query = link->query->span, target = link->query->targets[0].span;

    put(rw, offset, link->name ? arena_printf(rw->arena, "(SELECT q.%s FROM (", link->name) : "(");
    trace_put_copy(rw, offset, (Span){query.start, link->name ? target.end : target.start});
    put(rw, offset, link->name ? arena_printf(rw->arena, ", %s AS %s", link->text, link->name) : link->text);
    trace_put_copy(rw, offset, (Span){target.end, query.end});
    put(rw, offset, link->name ? ") q)" : ")");
}

void chain_put(InsertPlan *plan, int row, uint32_t offset) {
    Rewrite *rw = plan->rw;
    const Link *link = &plan->chain->links[row];
    Buf type = {0};

    trace_commit(&plan->chain->trace);
    if (link->query) { /* which may give no row */
        insert_plan_open(plan, row, offset);
        put_query(rw, offset, link);
        insert_plan_close(plan, row, offset);
        return;
    }
    put(rw, offset, "CAST(");
    edits_insert_copy(rw->edits, rw->arena, offset, link->copy);
    tenant_expr_put_type(&type, plan->table->tenant);
    put(rw, offset, arena_printf(rw->arena, " AS %.*s)", (int)buf_len(&type), (const char *)buf_ptr(&type)));
    buf_free(&type);
}
