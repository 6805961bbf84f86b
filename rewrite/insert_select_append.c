/* The tenant beside the key, in the list of each SELECT of the source.
 *
 *   SELECT o.order_id, count(*) FROM orders o … GROUP BY o.order_id
 *   SELECT o.order_id, count(*), o.store_id FROM orders o … GROUP BY o.order_id, o.store_id
 *
 * A key that is a literal or a parameter makes a sub-select that is computed once, or a slot; so does a key
 * that is NULL for certain, whose tenant only the session can know. The arms of a set operation are each
 * given theirs, or none is: equal keys have equal tenants, so that no two rows become different. */
#include <string.h>

#include "rewrite/cell.h"
#include "rewrite/insert_select_plan.h"
#include "rewrite/slot.h"
#include "rewrite/written.h"

/* A set operation of more SELECTs than this is wrapped. */
#define MAX_ARMS 256

typedef enum ArmTenant {
    ARM_TRACED,  /* `text` */
    ARM_BY_KEY,  /* of the parent that `keys` name */
    ARM_SESSION, /* there is no parent to ask */
} ArmTenant;

typedef struct Arm {
    const Block *block;
    ArmTenant tenant;
    const char *text;
    SlotKey *keys;
} Arm;

typedef struct Append {
    SelectPlan *plan;
    Trace trace;
    Arm *arms;
    int n;
    bool slots;   /* values may be found out ahead of the statement */
    bool written; /* no parent may be asked */
} Append;

/* ---- keys that stand in the list ---- */

static Span span_of(const Block *block, const Expr *expr) {
    for (int i = 0; i < block->ntargets; i++) {
        if (block->targets[i].expr == expr)
            return block->targets[i].expr_span;
    }
    return (Span){0, 0};
}

static bool is_plain_literal(Str text, const Expr *expr, Span span) {
    const char first = text.ptr[span.start];

    return expr->kind == EXPR_CONST && (first == '\'' || (first >= '0' && first <= '9') ||
                                        (first == '-' && expr->const_type != CONST_STRING));
}

static bool is_null(const Expr *expr) { return expr->kind == EXPR_CONST && expr->const_type == CONST_NULL; }

/* One column of the key. False if it is no value that may be repeated. */
static bool read_key(Append *a, Arm *arm, const Outputs *outputs, int k) {
    const SelectPlan *plan = a->plan;
    const int position = plan->positions[k];
    const Expr *expr = position < 0 ? NULL : outputs->columns[position].expr;
    SlotKey *key = &arm->keys[k];

    key->column = plan->fk->child_columns[k];
    if (position < 0) {
        key->text = plan->defaults[k].text;
        return true;
    }
    if (!expr || cell_use(plan->rw, expr) != CELL_COPY)
        return false;
    key->copy = span_of(arm->block, expr);
    if (key->copy.end == 0)
        return false;
    if (is_null(expr))
        arm->tenant = ARM_SESSION;
    /* A set operation, or DISTINCT, makes it text; a cast of it elsewhere would make it something else. */
    if (expr->kind == EXPR_PARAM && !rewrite_needs_values(plan->table) &&
        (plan->source->kind == BLOCK_SETOP || arm->block->distinct))
        return false;
    key->literal = is_plain_literal(plan->rw->text, expr, key->copy);
    if (expr->kind == EXPR_PARAM) {
        key->param = expr->number;
        key->literal = false;
    }
    return true;
}

static bool by_key(Append *a, Arm *arm, const Outputs *outputs) {
    const int nkeys = a->plan->fk->ncolumns;
    const bool values = rewrite_needs_values(a->plan->table);

    arm->tenant = ARM_BY_KEY;
    arm->keys = ARENA_ARRAY(a->plan->rw->arena, SlotKey, nkeys);
    for (int k = 0; k < nkeys; k++) {
        if (!read_key(a, arm, outputs, k))
            return false;
    }
    if (arm->tenant == ARM_SESSION)
        return a->slots;
    return !a->written && (values ? a->slots : tenant_expr_problem(a->plan->rw, a->plan->table) == NULL);
}

/* ---- each SELECT ---- */

static bool trace(Append *a, Arm *arm) {
    for (int k = 0; k < a->plan->fk->ncolumns; k++) {
        if (a->plan->positions[k] < 0)
            return false;
    }
    arm->tenant = ARM_TRACED;
    arm->text = trace_column(&a->trace, arm->block, a->plan->positions);
    return arm->text != NULL;
}

static bool judge(Append *a, const Block *block) {
    SelectPlan *plan = a->plan;
    int budget = OUTPUTS_BUDGET;
    Outputs outputs;
    Arm *arm;

    if (block->kind == BLOCK_SETOP)
        return judge(a, block->left) && judge(a, block->right);
    if (block->kind != BLOCK_SELECT || block->is_table_command || block->targets_end == 0 || a->n == MAX_ARMS)
        return false;
    outputs = outputs_of_block(plan->rw, block, &budget);
    if (!outputs.known || outputs.n != plan->width)
        return false;
    arm = &a->arms[a->n++];
    arm->block = block;
    if (plan->orphan) {
        arm->tenant = ARM_SESSION;
        return a->slots;
    }
    return trace(a, arm) || by_key(a, arm, &outputs);
}

/* ---- the edits ---- */

/* ORDER BY prefers the names of the list: one more of the same name could change what it means. */
static bool orders_by(const Block *block, const char *name) {
    bool found = false;

    for (int i = 0; i < block->norder_by && !found; i++)
        found = block->order_by[i]->kind == EXPR_COLUMN && !block->order_by[i]->name.name &&
                strcmp(block->order_by[i]->column, name) == 0;
    if (block->kind == BLOCK_SETOP)
        found = found || orders_by(block->left, name) || orders_by(block->right, name);
    return found;
}

static bool may_be_null(const Table *table) {
    return table->on_unknown == ON_UNKNOWN_PASS ||
           (table->on_unknown == ON_UNKNOWN_AUTO && table->stage < STAGE_KEYED);
}

/* Of a row that turns out to have no parent, the session's. On a distributed table what was traced stays a
 * bare column, so that Citus can push the INSERT down: all rows there have their tenants. */
static void put_found(Append *a, const Arm *arm) {
    Rewrite *rw = a->plan->rw;
    const bool falls_back =
        a->plan->falls_back && !(arm->tenant == ARM_TRACED && rewrite_is_distributed(a->plan->table));
    const uint32_t offset = arm->block->targets_end;
    TenantSource *sources;

    if (falls_back)
        edits_insert(rw->edits, rw->arena, offset, str_of("COALESCE("));
    if (arm->tenant == ARM_TRACED) {
        edits_insert(rw->edits, rw->arena, offset, str_of(arm->text));
    } else {
        sources = ARENA_ARRAY(rw->arena, TenantSource, a->plan->fk->ncolumns);
        for (int k = 0; k < a->plan->fk->ncolumns; k++)
            sources[k] = (TenantSource){arm->keys[k].text, arm->keys[k].copy};
        tenant_expr_insert(rw, offset, a->plan->table, sources);
    }
    if (falls_back) {
        edits_insert(rw->edits, rw->arena, offset, str_of(", "));
        edits_insert_slot(rw->edits, rw->arena, offset, slot_add(rw, a->plan->table, NULL, true));
        edits_insert(rw->edits, rw->arena, offset, str_of(")"));
    }
}

static void put_tenant(Append *a, const Arm *arm) {
    Rewrite *rw = a->plan->rw;
    const Table *table = a->plan->table;
    const uint32_t offset = arm->block->targets_end;

    if (arm->tenant == ARM_TRACED) {
        put_found(a, arm);
    } else if (arm->tenant == ARM_SESSION) {
        edits_insert_slot(rw->edits, rw->arena, offset, slot_add(rw, table, NULL, may_be_null(table)));
    } else if (rewrite_needs_values(table)) {
        /* The SELECT may give no row: a missing parent is for the constraint to find. */
        edits_insert_slot(rw->edits, rw->arena, offset, slot_add(rw, table, arm->keys, true));
    } else {
        put_found(a, arm);
    }
}

static void edit(Append *a) {
    Rewrite *rw = a->plan->rw;
    const char *alias = NULL;

    if (orders_by(a->plan->source, a->plan->table->tenant_column))
        alias = arena_printf(rw->arena, " AS %s", rewrite_made_name(rw));
    trace_commit(&a->trace);
    for (int i = 0; i < a->n; i++) {
        const uint32_t offset = a->arms[i].block->targets_end;

        edits_insert(rw->edits, rw->arena, offset, str_of(", "));
        put_tenant(a, &a->arms[i]);
        if (alias)
            edits_insert(rw->edits, rw->arena, offset, str_of(alias));
    }
}

bool insert_select_append(SelectPlan *plan) {
    Append a = {.plan = plan, .trace = trace_begin(plan->rw, plan->table)};

    if (plan->why)
        return false;
    a.slots = insert_select_is_alone(plan->rw, plan->block);
    a.written = written_path(plan->rw, plan->table);
    a.arms = ARENA_ARRAY(plan->rw->arena, Arm, MAX_ARMS);
    if (!judge(&a, plan->source))
        return false;
    edit(&a);
    return true;
}
