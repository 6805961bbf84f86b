/* The tenant follows the foreign key.
 *
 *   UPDATE line_items l SET order_id = $1 WHERE …
 *   UPDATE line_items l SET order_id = $1, store_id = CASE WHEN CAST($1 AS …) IS NULL THEN l.store_id ELSE
 *       (SELECT p1.store_id FROM … = CAST($1 AS …)) END WHERE …
 *
 * A row that loses its parent keeps its tenant: it is nobody else's, and from `keyed` on it must have one.
 * So does, from then on, a row whose new parent is not to be found: the foreign key, which holds the pair,
 * reports it as the client expects. In `derive` no key holds the pair, and a parent that is not to be found
 * yet but passes the check makes the tenant NULL, which the backfill mends; the old one would be wrong.
 *
 * A value that must be computed once is assigned together with the tenant:
 *
 *   SET (order_id, store_id) = (SELECT made.k, … made.k … FROM (SELECT f() WHERE l.ctid IS NOT NULL) made(k))
 *
 * where the ctid has it computed for each row anew. It is taken out of a ROW (…) for that. A sub-select that
 * gives several columns is wrapped likewise. */
#include "rewrite/follow.h"

#include <string.h>

#include "rewrite/carry.h"
#include "rewrite/cell.h"
#include "rewrite/source.h"
#include "rewrite/stable.h"

bool follow_moves(const SetList *set, const Table *table) {
    const ForeignKey *fk = table->path.nsteps > 0 ? table->path.steps[0] : NULL;

    if (!fk || set_index(set, table->tenant_column) >= 0)
        return false;
    for (int k = 0; k < fk->ncolumns; k++) {
        if (set_index(set, fk->child_columns[k]->name) >= 0)
            return true;
    }
    return false;
}

/* ---- the plan ---- */

static bool is_null(const Expr *expr) {
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr && expr->kind == EXPR_CONST && expr->const_type == CONST_NULL;
}

static void plan_default(Rewrite *rw, Follow *follow, int k) {
    const Column *column = follow->table->path.steps[0]->child_columns[k];
    const InsertDefault made = insert_default(rw, column);

    if (made.kind != INSERT_DEFAULT_NULL && made.kind != INSERT_DEFAULT_CONSTANT)
        follow->why = arena_printf(rw->arena, "the value of %s is made by its default", column->name);
    follow->keeps |= made.kind == INSERT_DEFAULT_NULL;
    follow->sources[k].text = made.text;
}

/* Whether edit_row can take it apart. */
static bool is_row_of_values(const SetList *set, const SetValue *row) {
    for (int i = row->first; i < row->first + row->n; i++) {
        if (!set->targets[i].name || set->targets[i].indirection || set->targets[i].expr_span.end == 0)
            return false;
    }
    return row->form == SET_ROW;
}

static void plan_once(Rewrite *rw, Follow *follow, int k, int index, const SetValue *value) {
    const Column *column = follow->table->path.steps[0]->child_columns[k];
    const bool select = value->form == SET_SELECT;
    const int once = select ? value->first : index;

    if ((value->form == SET_ROW && !is_row_of_values(follow->set, value)) ||
        (follow->once >= 0 && follow->once != once)) {
        follow->why = arena_printf(rw->arena, "the value of %s must be computed only once", column->name);
        return;
    }
    if (follow->once < 0)
        follow->made = rewrite_made_name(rw);
    follow->once = once;
    follow->in_row = true;
    follow->sources[k].text =
        str_of(arena_printf(rw->arena, "%s.c%d", follow->made, select ? index - value->first + 1 : 1));
}

/* A look into tables is taken once, too, where that is possible and the value is not needed elsewhere. */
static bool costs(Rewrite *rw, const Follow *follow, const Expr *expr, const SetValue *value) {
    bool from_tables = false;

    return value->form == SET_SINGLE && follow->once < 0 && cell_has_sublink(expr, &from_tables) &&
           from_tables && !carry_needed(rw, follow->table);
}

static void plan_value(Rewrite *rw, Follow *follow, int k, int index) {
    const Expr *expr = follow->set->targets[index].expr;
    const SetValue value = set_value(rw, follow->set, index);
    const Column *column = follow->table->path.steps[0]->child_columns[k];

    if (value.form == SET_UNKNOWN || follow->set->targets[index].indirection) {
        follow->why = arena_printf(rw->arena, "how %s is set is not understood", column->name);
    } else if (value.form == SET_SELECT) {
        plan_once(rw, follow, k, index, &value);
    } else if (expr->kind == EXPR_DEFAULT) {
        plan_default(rw, follow, k);
        return;
    } else if (is_null(expr)) {
        follow->keeps = true;
    } else if (cell_use(rw, expr) == CELL_COPY) {
        follow->sources[k].copy = value.value;
    } else if (stable_expr(rw, expr, follow->set->block) && !costs(rw, follow, expr, &value)) {
        follow->sources[k].copy = value.value;
        follow->in_row = true;
    } else {
        plan_once(rw, follow, k, index, &value);
    }
    follow->may_be_null |= !column->not_null && expr->kind != EXPR_CONST;
}

/* The tenant of a row of FROM, where all of the key comes from it. */
static const char *direct_source(Rewrite *rw, const SetList *set, const Table *table) {
    const ForeignKey *fk = table->path.steps[0];
    const Expr **keys = ARENA_ARRAY(rw->arena, const Expr *, fk->ncolumns);
    Source source;

    for (int k = 0; k < fk->ncolumns; k++) {
        int index = set_index(set, fk->child_columns[k]->name);

        keys[k] = index >= 0 ? set->targets[index].expr : NULL;
        if (!keys[k] || keys[k]->kind != EXPR_COLUMN || !keys[k]->name.name)
            return NULL;
    }
    return source_find(rw, set->block, table, keys, &source) ? source.text : NULL;
}

Follow follow_plan(Rewrite *rw, const SetList *set, const Table *table) {
    Follow follow = {.set = set, .table = table, .once = -1};
    const ForeignKey *fk = table->path.steps[0];

    follow.why = !table->tenant ? "the table has no such column yet" : tenant_expr_problem(rw, table);
    follow.sources = ARENA_ARRAY(rw->arena, TenantSource, fk->ncolumns);
    for (int k = 0; k < fk->ncolumns && !follow.why; k++) {
        const Column *column = fk->child_columns[k];
        int index = set_index(set, column->name);

        if (index >= 0) {
            plan_value(rw, &follow, k, index);
            continue;
        }
        follow.sources[k].text =
            str_of(arena_printf(rw->arena, "%s.%s", set->row, rewrite_quoted(rw, column->name)));
        follow.in_row = true;
        follow.may_be_null |= !column->not_null;
    }
    if (!follow.why && !follow.keeps)
        follow.direct = direct_source(rw, set, table);
    if (!follow.why && !follow.keeps && !follow.direct && !stable_parents(rw, table))
        follow.why = "the same statement may write its parent, which a sub-select would not see";
    if (!follow.why && follow.once < 0 && set->end == 0)
        follow.why = "where its parts stand in the text is not known";
    return follow;
}

/* ---- the edits ---- */

static void put(Rewrite *rw, uint32_t offset, const char *text) {
    edits_insert(rw->edits, rw->arena, offset, str_of(text));
}

static const char *own_tenant(Rewrite *rw, const Follow *follow) {
    return arena_printf(rw->arena, "%s.%s", follow->set->row,
                        rewrite_quoted(rw, follow->table->tenant->name));
}

static void put_found(Rewrite *rw, uint32_t offset, const Follow *follow) {
    if (follow->direct)
        put(rw, offset, follow->direct);
    else if (follow->in_row)
        tenant_expr_insert_row(rw, offset, follow->table, follow->sources);
    else
        tenant_expr_insert(rw, offset, follow->table, follow->sources);
}

/* "CAST(k AS type) IS NULL OR …". */
static void put_is_null(Rewrite *rw, uint32_t offset, const Follow *follow) {
    const ForeignKey *fk = follow->table->path.steps[0];

    for (int k = 0; k < fk->ncolumns; k++) {
        Buf type = {0};

        tenant_expr_put_type(&type, fk->child_columns[k]);
        put(rw, offset, k == 0 ? "CAST(" : " OR CAST(");
        if (follow->sources[k].text.ptr)
            edits_insert(rw->edits, rw->arena, offset, follow->sources[k].text);
        else
            edits_insert_copy(rw->edits, rw->arena, offset, follow->sources[k].copy);
        put(rw, offset,
            arena_printf(rw->arena, " AS %.*s) IS NULL", (int)buf_len(&type), (const char *)buf_ptr(&type)));
        buf_free(&type);
    }
}

static void put_tenant(Rewrite *rw, uint32_t offset, const Follow *follow) {
    if (follow->table->stage >= STAGE_KEYED) {
        put(rw, offset, "COALESCE(");
        put_found(rw, offset, follow);
        put(rw, offset, arena_printf(rw->arena, ", %s)", own_tenant(rw, follow)));
        return;
    }
    if (follow->may_be_null) {
        put(rw, offset, "CASE WHEN ");
        put_is_null(rw, offset, follow);
        put(rw, offset, arena_printf(rw->arena, " THEN %s ELSE ", own_tenant(rw, follow)));
    }
    put_found(rw, offset, follow);
    if (follow->may_be_null)
        put(rw, offset, " END");
}

/* "made.c1, made.c2, …, <tenant> FROM " behind "(SELECT ". */
static void put_head(Rewrite *rw, uint32_t offset, const Follow *follow, int n) {
    put(rw, offset, "(SELECT ");
    for (int i = 1; i <= n; i++)
        put(rw, offset, arena_printf(rw->arena, "%s.c%d, ", follow->made, i));
    put_tenant(rw, offset, follow);
    put(rw, offset, " FROM ");
}

/* "(a, store_id) = (SELECT made.c1, … FROM (SELECT <value> WHERE …) made(c1))" around the value. */
static void edit_once(Rewrite *rw, const Follow *follow, uint32_t start, Span value) {
    put(rw, start,
        arena_printf(rw->arena, "(%s, %s) = ", rewrite_quoted(rw, follow->set->targets[follow->once].name),
                     rewrite_quoted(rw, follow->table->tenant->name)));
    put_head(rw, start, follow, 1);
    put(rw, start, "(SELECT ");
    edits_remove(rw->edits, rw->arena, (Span){start, value.start});
    put(rw, value.end,
        arena_printf(rw->arena, " WHERE %s.ctid IS NOT NULL) %s(c1))", follow->set->row, follow->made));
}

/* (a, b) = ROW (x, y) becomes a = x, b = y. */
static void edit_row(Rewrite *rw, const Follow *follow, const SetValue *row) {
    uint32_t start = row->whole.start;

    for (int i = row->first; i < row->first + row->n; i++) {
        const Target *target = &follow->set->targets[i];

        if (i > row->first)
            put(rw, start, ", ");
        if (i == follow->once) {
            edit_once(rw, follow, start, target->expr_span);
        } else {
            put(rw, start, arena_printf(rw->arena, "%s = ", rewrite_quoted(rw, target->name)));
            edits_remove(rw->edits, rw->arena, (Span){start, target->expr_span.start});
        }
        start = target->expr_span.end;
    }
    edits_remove(rw->edits, rw->arena, (Span){start, row->whole.end});
}

/* "(SELECT) made LEFT JOIN " before the sub-select, " made(c1, …) ON true)" behind it: without a row of its
 * own it sets all of its columns NULL. */
static void put_joined(Rewrite *rw, uint32_t offset, const Follow *follow, int n) {
    put_head(rw, offset, follow, n);
    put(rw, offset, arena_printf(rw->arena, "(SELECT) %s LEFT JOIN ", rewrite_made_name(rw)));
}

static void put_joined_end(Rewrite *rw, uint32_t offset, const Follow *follow, const SetValue *value) {
    put(rw, offset, arena_printf(rw->arena, " %s%s ON true)", follow->made, set_made_columns(rw, value)));
}

static void edit_select(Rewrite *rw, const Follow *follow, const SetValue *value) {
    put(rw, value->columns_end,
        arena_printf(rw->arena, ", %s", rewrite_quoted(rw, follow->table->tenant->name)));
    put_joined(rw, value->value.start, follow, value->n);
    put_joined_end(rw, value->value.end, follow, value);
}

void follow_put_again(Rewrite *rw, uint32_t offset, const Follow *follow) {
    SetValue value;

    if (follow->once < 0) {
        put_tenant(rw, offset, follow);
        return;
    }
    value = set_value(rw, follow->set, follow->once);
    put_joined(rw, offset, follow, 0);
    edits_insert_copy(rw->edits, rw->arena, offset, value.value);
    put_joined_end(rw, offset, follow, &value);
}

void follow_edit(Rewrite *rw, const Follow *follow) {
    if (follow->once >= 0) {
        const SetValue value = set_value(rw, follow->set, follow->once);

        if (value.form == SET_SELECT)
            edit_select(rw, follow, &value);
        else if (value.form == SET_ROW)
            edit_row(rw, follow, &value);
        else
            edit_once(rw, follow, value.whole.start, value.value);
    } else {
        put(rw, follow->set->end,
            arena_printf(rw->arena, ", %s = ", rewrite_quoted(rw, follow->table->tenant->name)));
        put_tenant(rw, follow->set->end, follow);
    }
    rw->decision->rewritten = true;
}
