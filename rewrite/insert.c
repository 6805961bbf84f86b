/* INSERT … VALUES and DEFAULT VALUES: which form the statement gets.
 *
 * Sub-selects on the parent, before the stage resolve, are exact and cost no round trip. From then on Citus
 * may take the tables over at any instant, and refuses sub-selects in VALUES, the client's own included: the
 * tenants are slots there, and where that cannot be, or the client has sub-selects, the statement becomes an
 * INSERT … SELECT. */
#include "rewrite/insert.h"

#include <string.h>

#include "rewrite/insert_plan.h"

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

/* ---- what Citus does not take ---- */

typedef struct Found {
    bool sublink;      /* in a value */
    bool set;          /* a value that makes several rows of one */
    bool outer;        /* a sub-select in RETURNING or DO UPDATE */
    bool outer_tables; /* that reads tables: not even INSERT … SELECT makes that right */
} Found;

static void look_at_targets(Found *found, const Target *targets, int n) {
    for (int i = 0; i < n; i++)
        found->outer |= cell_has_sublink(targets[i].expr, &found->outer_tables);
}

static Found look(const InsertPlan *plan) {
    const Block *block = plan->block;
    Found found = {0};
    bool tables = false;

    for (int row = 0; row < block->nrows; row++) {
        for (int i = 0; i < block->rows[row].ncells; i++) {
            const Expr *expr = block->rows[row].cells[i].expr;

            found.sublink |= cell_has_sublink(expr, &tables);
            found.set |= block->nrows == 1 && cell_use(plan->rw, expr) == CELL_SET;
        }
    }
    look_at_targets(&found, block->returning, block->nreturning);
    look_at_targets(&found, block->conflict_set, block->nconflict_set);
    found.outer |= cell_has_sublink(block->conflict_set_where, &found.outer_tables);
    return found;
}

/* ---- which form ---- */

/* Of one row's key: what may be a set keeps making as many rows only in a SELECT. */
static bool key_may_be_set(const InsertPlan *plan) {
    for (int k = 0; !plan->given && plan->nrows == 1 && k < plan->fk->ncolumns; k++) {
        const CellUse use = insert_plan_part(plan, 0, k)->use;

        if (use == CELL_UNKNOWN || use == CELL_SET)
            return true;
    }
    return false;
}

static InsertForm choose(const InsertPlan *plan, const Found *found) {
    if (!rewrite_needs_values(plan->table))
        return key_may_be_set(plan) ? INSERT_SELECT : INSERT_SUBSELECTS;
    if (found->sublink || found->set || (found->outer && !found->outer_tables))
        return INSERT_SELECT;
    return plan->given || plan->foreseen ? INSERT_SLOTS : INSERT_SELECT;
}

/* What reads tables there is refused by Citus in VALUES, and silently reads empty ones in INSERT … SELECT. */
static bool refuse(InsertPlan *plan, const Found *found) {
    Rewrite *rw = plan->rw;

    if (!found->outer_tables || !rewrite_needs_values(plan->table) ||
        (plan->form == INSERT_SLOTS && !rewrite_is_distributed(plan->table)))
        return false;
    rewrite_refuse(rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
                   "sub-selects that read tables are not supported in RETURNING and ON CONFLICT DO UPDATE",
                   arena_printf(rw->arena, "Table \"%s\" is distributed, or about to be.", plan->table->name),
                   "Read those tables in a statement of its own.");
    return true;
}

/* Rows that only the session can give a tenant, in a text where nobody can ask it: NULL, where that may be.
 */
static bool lacks_session(const InsertPlan *plan) {
    bool some = false, all = true;

    for (int row = 0; row < plan->nrows && !plan->given; row++) {
        some |= plan->tenants[row] == ROW_BY_SESSION;
        all &= plan->tenants[row] == ROW_BY_SESSION;
    }
    return some && !plan->given && !plan->slots && (all || !insert_plan_nullable(plan));
}

static void leave(const InsertPlan *plan) {
    if (plan->errs)
        rewrite_leave(plan->rw, plan->table, plan->why);
    else
        rewrite_unknown(plan->rw, plan->table, plan->why);
}

/* A tenant that the statement names, as nothing. */
static bool gives_nothing(const InsertPlan *plan) {
    const int column = insert_column_index(plan->block, plan->table, plan->table->tenant_column);

    for (int row = 0; row < plan->nrows; row++) {
        const Expr *expr = plan->block->rows[row].cells[column].expr;

        if (expr &&
            (expr->kind == EXPR_DEFAULT || (expr->kind == EXPR_CONST && expr->const_type == CONST_NULL)))
            return true;
    }
    return false;
}

static bool edit(InsertPlan *plan) {
    if (plan->form == INSERT_SELECT)
        return insert_select_form_edit(plan);
    return plan->given || insert_values_edit(plan);
}

void insert_rewrite(Rewrite *rw, const Block *block, const Table *table) {
    InsertPlan plan;
    Found found;

    insert_plan(&plan, rw, block, table);
    if (plan.given && (plan.why || !rewrite_needs_values(table)))
        return;
    if (!plan.why && plan.given && gives_nothing(&plan))
        plan.why = "the statement gives it as NULL or DEFAULT";
    else if (!plan.why && lacks_session(&plan))
        plan.why =
            arena_printf(rw->arena, "without %s the row has no parent", plan.fk->child_columns[0]->name);
    if (!plan.why) {
        found = look(&plan);
        plan.form = choose(&plan, &found);
        if (refuse(&plan, &found))
            return;
        if (edit(&plan))
            rw->decision->rewritten |= !plan.given || plan.form == INSERT_SELECT;
    }
    if (plan.why)
        leave(&plan);
}
