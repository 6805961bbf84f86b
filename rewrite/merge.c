/* MERGE: its actions are an INSERT of one row and an UPDATE each.
 *
 *   MERGE INTO line_items l USING staged s ON … WHEN NOT MATCHED THEN
 *       INSERT (order_id, …) VALUES (s.order_id, …)
 *       INSERT (order_id, …, store_id) VALUES (s.order_id, …, (SELECT p1.store_id FROM … = s.order_id))
 *
 * Where the source has the tenant itself, because it is the parent or has the same one, the value is its
 * column. From `resolve` on the source must then be joined on the tenant, too, as Citus demands
 * (rewrite/merge_citus.c).
 *
 * Sub-selects in actions work as long as the tables are local, to Citus or to PostgreSQL; on distributed ones
 * they do not, and a source without the tenant is none that Citus could merge from: that is refused. */
#include "rewrite/merge.h"

#include <string.h>

#include "rewrite/cell.h"
#include "rewrite/insert.h"
#include "rewrite/insert_default.h"
#include "rewrite/merge_citus.h"
#include "rewrite/slot.h"
#include "rewrite/source.h"
#include "rewrite/stable.h"
#include "rewrite/tenant_expr.h"
#include "rewrite/update.h"

/* One WHEN NOT MATCHED THEN INSERT, worked out before anything is edited. */
typedef struct MergeInsert {
    const Block *merge, *action;
    const Table *table;
    const Expr **keys;     /* the cells of the foreign key; NULL: a default */
    TenantSource *sources; /* their texts */
    bool no_parent;        /* some of them is NULL */
    bool from_source;      /* the tenant is a column of `source` */
    Source source;
    const char *why; /* not NULL: it cannot be rewritten */
} MergeInsert;

/* ---- the plan ---- */

static const char *shape_problem(Rewrite *rw, const Block *action, const Table *table) {
    if (table->kind != KIND_BACKFILL || table->path.nsteps == 0)
        return "no foreign key leads to its tenant";
    if (!table->tenant)
        return "the table has no such column yet";
    if (action->default_values
            ? action->default_values_span.end == 0
            : action->rows[0].span.end == 0 ||
                  (action->has_column_list ? action->column_list.end : action->target_end) == 0)
        return "where its parts stand in the text is not known";
    return tenant_expr_problem(rw, table);
}

static void plan_key(Rewrite *rw, MergeInsert *plan, int k) {
    const Column *column = plan->table->path.steps[0]->child_columns[k];
    int position = insert_column_index(plan->action, plan->table, column->name);
    const Cell *cell =
        position < 0 || plan->action->default_values ? NULL : &plan->action->rows[0].cells[position];

    if (!cell || cell->expr->kind == EXPR_DEFAULT) {
        const InsertDefault made = insert_default(rw, column);

        plan->no_parent |= made.kind == INSERT_DEFAULT_NULL;
        plan->sources[k].text = made.text;
        if (made.kind != INSERT_DEFAULT_NULL && made.kind != INSERT_DEFAULT_CONSTANT)
            plan->why = arena_printf(rw->arena, "the value of %s is made by its default", column->name);
        return;
    }
    plan->keys[k] = cell->expr;
    plan->sources[k].copy = cell->span;
    plan->no_parent |= cell->expr->kind == EXPR_CONST && cell->expr->const_type == CONST_NULL;
    if (!stable_expr(rw, cell->expr, plan->merge))
        plan->why = arena_printf(rw->arena, "the value of %s must be computed only once", column->name);
}

static MergeInsert plan_insert(Rewrite *rw, const Block *merge, const Block *action, const Table *table) {
    MergeInsert plan = {.merge = merge, .action = action, .table = table};
    int nkeys;

    plan.why = shape_problem(rw, action, table);
    if (plan.why)
        return plan;
    nkeys = table->path.steps[0]->ncolumns;
    plan.keys = ARENA_ARRAY(rw->arena, const Expr *, nkeys);
    plan.sources = ARENA_ARRAY(rw->arena, TenantSource, nkeys);
    plan.from_source = true;
    for (int k = 0; k < nkeys && !plan.why; k++) {
        plan_key(rw, &plan, k);
        plan.from_source &= plan.keys[k] != NULL;
    }
    if (plan.why)
        return plan;
    plan.from_source = plan.from_source && source_find(rw, merge, table, plan.keys, &plan.source);
    if (!plan.from_source && !plan.no_parent && !stable_parents(rw, table))
        plan.why = "the same statement may write its parent, which a sub-select would not see";
    return plan;
}

/* ---- what Citus does not take ---- */

static const Expr *source_column(Rewrite *rw, const Source *source) {
    Expr *expr = ARENA_NEW(rw->arena, Expr);

    *expr = (Expr){.kind = EXPR_COLUMN, .column = source->column};
    expr->name.name = source->item->alias ? source->item->alias : source->item->name.name;
    return expr;
}

static void refuse_source(Rewrite *rw, const Table *table) {
    const char *tenant = rewrite_quoted(rw, table->tenant_column);

    rewrite_refuse(
        rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
        arena_printf(rw->arena, "MERGE cannot insert into table \"%s\" without %s", table->name, tenant),
        arena_printf(rw->arena,
                     "The table is distributed by %s: Citus merges only from a table that is, "
                     "too, and is joined on it.",
                     tenant),
        arena_printf(rw->arena, "Name %s in INSERT and in ON, or use INSERT … ON CONFLICT.", tenant));
}

/* ---- the edits ---- */

static void put(Rewrite *rw, uint32_t offset, const char *text) {
    edits_insert(rw->edits, rw->arena, offset, str_of(text));
}

static void put_tenant(Rewrite *rw, uint32_t offset, const MergeInsert *plan) {
    const Table *table = plan->table;
    bool nullable = table->on_unknown == ON_UNKNOWN_PASS ||
                    (table->on_unknown == ON_UNKNOWN_AUTO && table->stage < STAGE_KEYED);

    if (plan->no_parent)
        edits_insert_slot(rw->edits, rw->arena, offset, slot_add(rw, table, NULL, nullable));
    else if (plan->from_source)
        put(rw, offset, plan->source.text);
    else
        tenant_expr_insert_row(rw, offset, table, plan->sources);
}

static void edit_insert(Rewrite *rw, const MergeInsert *plan) {
    const Block *action = plan->action;
    const char *tenant = rewrite_quoted(rw, plan->table->tenant->name);

    if (action->default_values) {
        const Span words = action->default_values_span;

        put(rw, words.start, arena_printf(rw->arena, "(%s) VALUES (", tenant));
        put_tenant(rw, words.start, plan);
        put(rw, words.start, ")");
        edits_remove(rw->edits, rw->arena, words);
        return;
    }
    if (action->has_column_list) {
        put(rw, action->column_list.end - 1, arena_printf(rw->arena, ", %s", tenant));
    } else {
        put(rw, action->target_end, " (");
        for (int i = 0; i < action->rows[0].ncells; i++)
            put(rw, action->target_end,
                arena_printf(rw->arena, "%s, ", rewrite_quoted(rw, plan->table->columns[i].name)));
        put(rw, action->target_end, arena_printf(rw->arena, "%s)", tenant));
    }
    put(rw, action->rows[0].span.end - 1, ", ");
    put_tenant(rw, action->rows[0].span.end - 1, plan);
}

static void rewrite_insert(Rewrite *rw, const Block *merge, const Block *action, const Table *table,
                           const MergeJoin *join) {
    MergeInsert plan;

    if (!action->default_values && (action->nrows != 1 || !insert_rows_fit(action, table))) {
        rewrite_leave(rw, table, "the values do not fit the columns");
        return;
    }
    if (insert_gives_tenant(action, table))
        return;
    plan = plan_insert(rw, merge, action, table);
    if (!plan.why && plan.no_parent && rw->several)
        plan.why = "the row has no parent, and what the session says is not known between several statements";
    if (plan.why) {
        rewrite_unknown(rw, table, plan.why);
        return;
    }
    if (join->joined)
        plan.from_source =
            plan.from_source && merge_citus_is_joined(rw, join, source_column(rw, &plan.source));
    else
        plan.from_source = plan.from_source && !rewrite_needs_values(table);
    if (rewrite_is_distributed(table) && (plan.no_parent || !plan.from_source)) {
        refuse_source(rw, table);
        return;
    }
    edit_insert(rw, &plan);
    rw->decision->rewritten = true;
}

void merge_rewrite(Rewrite *rw, const Block *merge, const Table *table) {
    const bool distributed = table->tenant && rewrite_is_distributed(table);
    MergeJoin join = {0};

    if (distributed || (table->tenant && rewrite_needs_values(table)))
        join = merge_citus_join(rw, merge, table);
    if (distributed && !merge_citus_takes(rw, &join))
        return;
    if (join.added)
        merge_citus_add_join(rw, &join);
    for (int i = 0; i < merge->nmerge_actions; i++) {
        const Block *action = merge->merge_actions[i];

        if (action->kind == BLOCK_UPDATE) {
            const SetList set = set_of_action(rw, merge, action);

            update_rewrite_set(rw, &set, table);
        } else if (action->kind == BLOCK_INSERT && rewrite_is_migrating(table)) {
            rewrite_insert(rw, merge, action, table, &join);
        } else if (action->kind == BLOCK_INSERT && distributed && !insert_gives_tenant(action, table)) {
            refuse_source(rw, table);
        }
    }
}
