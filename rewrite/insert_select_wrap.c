/* The SELECT as a sub-select; before the stage resolve:
 *
 *   INSERT INTO line_items (order_id, name, store_id)
 *   SELECT v.*, (SELECT p1.store_id FROM … = CAST(v.c1 AS …)) FROM (SELECT …) v(c1, c2)
 *
 * From then on the parents are joined, which Citus takes in all states of the tables; they are looked for by
 * the keys that the rows have, and the rows keep their order:
 *
 *   WITH made_1(c1, c2) AS MATERIALIZED (SELECT …)
 *   SELECT made_1.c1, made_1.c2, p.t
 *   FROM (SELECT made_1.*, row_number() OVER () AS n FROM made_1) made_1 LEFT JOIN (…) p ON … ORDER BY
 * made_1.n
 *
 * What has no type of its own takes it from the column only at the top of an INSERT: in the sub-select it is
 * cast, without length or precision, which the assignment is to check. */
#include <stdio.h>
#include <string.h>

#include "rewrite/insert_select_plan.h"
#include "rewrite/slot.h"

static void put(SelectPlan *plan, uint32_t offset, const char *text) {
    edits_insert(plan->rw->edits, plan->rw->arena, offset, str_of(text));
}

static void put_buf(SelectPlan *plan, uint32_t offset, Buf *sql) {
    put(plan, offset, arena_strndup(plan->rw->arena, (const char *)buf_ptr(sql), buf_len(sql)));
    buf_free(sql);
}

/* ---- types ---- */

static bool is_untyped(const Expr *expr) {
    return expr &&
           (expr->kind == EXPR_PARAM || (expr->kind == EXPR_CONST && (expr->const_type == CONST_STRING ||
                                                                      expr->const_type == CONST_NULL)));
}

/* What the query sorts or groups by has become text, in the list, too. */
static bool is_named_in(SelectPlan *plan, Expr *const *exprs, int n, int position, const char *name) {
    for (int i = 0; i < n; i++) {
        const Expr *expr = exprs[i];

        if (expr->kind == EXPR_CONST && expr->const_type == CONST_INTEGER && expr->value) {
            char number[16];

            plan->rw->literals_matter = true;
            snprintf(number, sizeof(number), "%d", position + 1);
            if (strcmp(number, expr->value) == 0)
                return true;
        }
        if (expr->kind == EXPR_COLUMN && name && !expr->name.name && strcmp(expr->column, name) == 0)
            return true;
    }
    return false;
}

static const Expr *output_expr(const SelectPlan *plan, int position) {
    return position < plan->outputs.n ? plan->outputs.columns[position].expr : NULL;
}

static void cast_target(SelectPlan *plan, const Target *target) {
    const Block *query = plan->source;
    int position = 0;
    Buf sql = {0};

    while (position < plan->width && output_expr(plan, position) != target->expr)
        position++;
    if (position == plan->width || !plan->columns[position] || target->expr_span.end == 0 ||
        is_named_in(plan, query->order_by, query->norder_by, position, target->name) ||
        is_named_in(plan, query->group_by, query->ngroup_by, position, target->name) ||
        is_named_in(plan, query->distinct_on, query->ndistinct_on, position, target->name))
        return;
    put(plan, target->expr_span.start, "CAST(");
    buf_append_cstr(&sql, " AS ");
    quote_identifier(&sql, plan->columns[position]->type_schema);
    buf_append_cstr(&sql, ".");
    quote_identifier(&sql, plan->columns[position]->type_name);
    buf_append_cstr(&sql, ")");
    put_buf(plan, target->expr_span.end, &sql);
}

static void cast_targets(SelectPlan *plan) {
    const Block *query = plan->source;

    if (query->kind != BLOCK_SELECT || (query->distinct && query->ndistinct_on == 0))
        return;
    for (int i = 0; i < query->ntargets; i++) {
        if (is_untyped(query->targets[i].expr))
            cast_target(plan, &query->targets[i]);
    }
}

/* ---- around the query ---- */

/* The names of its columns, then those of the key's columns that a default fills. */
static void put_names(SelectPlan *plan, Buf *sql, bool filled) {
    buf_append_cstr(sql, "(");
    for (int i = 0; i < plan->width; i++)
        buf_printf(sql, "%sc%d", i == 0 ? "" : ", ", i + 1);
    for (int k = 0; filled && k < plan->fk->ncolumns; k++) {
        if (plan->positions[k] < 0)
            buf_printf(sql, ", k%d", k + 1);
    }
    buf_append_cstr(sql, ")");
}

static const char *key_name(const SelectPlan *plan, int k) {
    return plan->positions[k] < 0 ? arena_printf(plan->rw->arena, "k%d", k + 1)
                                  : arena_printf(plan->rw->arena, "c%d", plan->positions[k] + 1);
}

/* ", <the session's tenant>)" behind what COALESCE( began. */
static void put_fallback(SelectPlan *plan, uint32_t offset) {
    Rewrite *rw = plan->rw;

    if (!plan->falls_back)
        return;
    put(plan, offset, ", ");
    edits_insert_slot(rw->edits, rw->arena, offset, slot_add(rw, plan->table, NULL, true));
    put(plan, offset, ")");
}

static void wrap_with_subselect(SelectPlan *plan) {
    const uint32_t start = plan->source->span.start;
    TenantSource *sources = ARENA_ARRAY(plan->rw->arena, TenantSource, plan->fk->ncolumns);
    Buf sql = {0};

    for (int k = 0; k < plan->fk->ncolumns; k++)
        sources[k].text = plan->positions[k] < 0
                              ? plan->defaults[k].text
                              : str_of(arena_printf(plan->rw->arena, "v.%s", key_name(plan, k)));
    put(plan, start, plan->falls_back ? "SELECT v.*, COALESCE(" : "SELECT v.*, ");
    tenant_expr_insert(plan->rw, start, plan->table, sources);
    put_fallback(plan, start);
    put(plan, start, " FROM (");
    cast_targets(plan);
    buf_append_cstr(&sql, ") v");
    put_names(plan, &sql, false);
    put_buf(plan, plan->source->span.end, &sql);
}

static bool fills_all(const SelectPlan *plan) {
    for (int k = 0; k < plan->fk->ncolumns; k++) {
        if (plan->positions[k] < 0)
            return false;
    }
    return true;
}

/* "WITH made_1(c1, k2) AS MATERIALIZED (", where a default fills part of the key, "SELECT v.*, 7 FROM (". */
static void put_head(SelectPlan *plan, const char *cte) {
    Buf sql = {0};

    buf_printf(&sql, "WITH %s", cte);
    put_names(plan, &sql, true);
    buf_append_cstr(&sql, " AS MATERIALIZED (");
    if (!fills_all(plan)) {
        buf_append_cstr(&sql, "SELECT v.*");
        for (int k = 0; k < plan->fk->ncolumns; k++) {
            if (plan->positions[k] < 0) {
                buf_append_cstr(&sql, ", ");
                buf_append_str(&sql, plan->defaults[k].text);
            }
        }
        buf_append_cstr(&sql, " FROM (");
    }
    put_buf(plan, plan->source->span.start, &sql);
}

static void put_tail(SelectPlan *plan, const char *cte) {
    const char **keys = ARENA_ARRAY(plan->rw->arena, const char *, plan->fk->ncolumns);
    Buf sql = {0};

    for (int k = 0; k < plan->fk->ncolumns; k++)
        keys[k] = key_name(plan, k);
    buf_append_cstr(&sql, fills_all(plan) ? ") SELECT " : ") v) SELECT ");
    for (int i = 0; i < plan->width; i++)
        buf_printf(&sql, "%s.c%d, ", cte, i + 1);
    buf_append_cstr(&sql, plan->falls_back ? "COALESCE(p.t" : "p.t");
    put_buf(plan, plan->source->span.end, &sql);
    put_fallback(plan, plan->source->span.end);
    buf_printf(&sql, " FROM (SELECT %s.*, pg_catalog.row_number() OVER () AS n FROM %s) %s", cte, cte, cte);
    tenant_expr_put_join(&sql, plan->table, cte, keys);
    buf_printf(&sql, " ORDER BY %s.n", cte);
    put_buf(plan, plan->source->span.end, &sql);
}

static void wrap_with_join(SelectPlan *plan) {
    const char *cte = rewrite_made_name(plan->rw);

    put_head(plan, cte);
    cast_targets(plan);
    put_tail(plan, cte);
}

bool insert_select_wrap(SelectPlan *plan) {
    if (!rewrite_needs_values(plan->table)) {
        wrap_with_subselect(plan);
        return true;
    }
    if (!plan->outputs.known) {
        plan->why = "how many columns the query has is not known";
        return false;
    }
    wrap_with_join(plan);
    return true;
}
