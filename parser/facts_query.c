/* Query blocks: SELECT, VALUES, set operations, and WITH. */
#include "parser/facts_internal.h"

Block *facts_new_block(Convert *c, Block *parent, BlockKind kind) {
    Block *block = ARENA_NEW(c->arena, Block);

    block->kind = kind;
    block->parent = parent;
    return block;
}

/* The alias of a select list's entry, the column of SET's. */
static Target target(Convert *c, Block *block, const PgQuery__ResTarget *t) {
    const Node *value = t->val;
    const PgQuery__MultiAssignRef *multi;
    Target made = {0};

    made.name = facts_string(c, t->name);
    made.location = facts_location(c, t->location);
    made.indirection = t->n_indirection > 0;
    if (!value || value->node_case != PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF) {
        made.expr = facts_expr(c, block, value);
        return made;
    }
    /* SET (a, b) = …: the source is repeated for each column. */
    multi = value->multi_assign_ref;
    value = multi->source;
    if (value && value->node_case == PG_QUERY__NODE__NODE_ROW_EXPR && multi->colno > 0 &&
        value->row_expr->n_args == (size_t)multi->ncolumns && multi->colno <= multi->ncolumns) {
        made.expr = facts_expr(c, block, value->row_expr->args[multi->colno - 1]);
    } else {
        made.expr = facts_new_expr(c, EXPR_OTHER, -1, multi->colno == 1 ? 1 : 0);
        if (multi->colno == 1)
            made.expr->args[0] = facts_expr(c, block, value);
    }
    return made;
}

Target *facts_targets(Convert *c, Block *block, Node **list, size_t n) {
    Target *targets = n > 0 ? ARENA_ARRAY(c->arena, Target, n) : NULL;

    for (size_t i = 0; i < n; i++)
        if (list[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET)
            targets[i] = target(c, block, list[i]->res_target);
    return targets;
}

void facts_rows(Convert *c, Block *block, Node **lists, size_t n) {
    block->nrows = (int)n;
    block->rows = ARENA_ARRAY(c->arena, Row, n);
    for (size_t i = 0; i < n; i++) {
        Row *row = &block->rows[i];
        PgQuery__List *list = lists[i]->node_case == PG_QUERY__NODE__NODE_LIST ? lists[i]->list : NULL;

        row->ncells = list ? (int)list->n_items : 0;
        row->cells = ARENA_ARRAY(c->arena, Cell, row->ncells);
        for (int k = 0; k < row->ncells; k++)
            row->cells[k].expr = facts_expr(c, block, list->items[k]);
    }
}

void facts_with(Convert *c, Block *block, const PgQuery__WithClause *with) {
    static const CteMaterialized materialized[] = {
        [PG_QUERY__CTEMATERIALIZE__CTEMaterializeAlways] = CTE_MATERIALIZED,
        [PG_QUERY__CTEMATERIALIZE__CTEMaterializeNever] = CTE_NOT_MATERIALIZED,
    };

    if (!with)
        return;
    block->recursive = with->recursive;
    block->nctes = (int)with->n_ctes;
    block->ctes = ARENA_ARRAY(c->arena, Cte, with->n_ctes);
    for (size_t i = 0; i < with->n_ctes; i++) {
        const PgQuery__CommonTableExpr *from = with->ctes[i]->common_table_expr;
        Cte *cte = &block->ctes[i];

        cte->name = facts_string(c, from->ctename);
        cte->columns = facts_strings(c, from->aliascolnames, from->n_aliascolnames);
        cte->ncolumns = (int)from->n_aliascolnames;
        if ((size_t)from->ctematerialized < ARRAY_LEN(materialized))
            cte->materialized = materialized[from->ctematerialized];
        cte->location = facts_location(c, from->location);
        cte->block = facts_block(c, block, from->ctequery);
    }
}

static void locking(Block *block, const PgQuery__SelectStmt *s) {
    static const char *const names[] = {
        [PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE] = "KEY SHARE",
        [PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE] = "SHARE",
        [PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE] = "NO KEY UPDATE",
        [PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORUPDATE] = "UPDATE",
    };
    const PgQuery__LockingClause *first;

    if (s->n_locking_clause == 0)
        return;
    block->locking = true;
    first = s->locking_clause[0]->locking_clause;
    if ((size_t)first->strength < ARRAY_LEN(names))
        block->lock_strength = names[first->strength];
}

static void named_windows(Convert *c, Block *block, Node **list, size_t n) {
    if (n == 0)
        return;
    block->named_windows = ARENA_ARRAY(c->arena, const Window *, n);
    block->nnamed_windows = (int)n;
    for (size_t i = 0; i < n; i++)
        block->named_windows[i] = facts_window(c, block, list[i]->window_def);
}

static void grouping(Convert *c, Block *block, const PgQuery__SelectStmt *s) {
    block->group_distinct_or_sets = s->group_distinct;
    for (size_t i = 0; i < s->n_group_clause; i++)
        if (s->group_clause[i]->node_case == PG_QUERY__NODE__NODE_GROUPING_SET)
            block->group_distinct_or_sets = true;
    block->group_by = facts_exprs(c, block, s->group_clause, s->n_group_clause);
    block->ngroup_by = (int)s->n_group_clause;
    block->having = facts_expr(c, block, s->having_clause);
}

/* Plain DISTINCT is a list with one empty node. */
static void distinct(Convert *c, Block *block, const PgQuery__SelectStmt *s) {
    if (s->n_distinct_clause == 0)
        return;
    block->distinct = true;
    if (s->distinct_clause[0]->node_case == PG_QUERY__NODE__NODE__NOT_SET)
        return;
    block->distinct_on = facts_exprs(c, block, s->distinct_clause, s->n_distinct_clause);
    block->ndistinct_on = (int)s->n_distinct_clause;
}

static void set_operation(Convert *c, Block *block, const PgQuery__SelectStmt *s) {
    block->kind = BLOCK_SETOP;
    block->setop = s->op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ? SETOP_INTERSECT
                   : s->op == PG_QUERY__SET_OPERATION__SETOP_EXCEPT  ? SETOP_EXCEPT
                                                                     : SETOP_UNION;
    block->setop_all = s->all;
    block->left = facts_select(c, block, s->larg);
    block->right = facts_select(c, block, s->rarg);
}

Block *facts_select(Convert *c, Block *parent, const PgQuery__SelectStmt *s) {
    Block *block = facts_new_block(c, parent, BLOCK_SELECT);

    facts_with(c, block, s->with_clause);
    if (s->larg && s->rarg) {
        set_operation(c, block, s);
    } else if (s->n_values_lists > 0) {
        block->kind = BLOCK_VALUES;
        facts_rows(c, block, s->values_lists, s->n_values_lists);
    }
    block->from = facts_from(c, block, s->from_clause, s->n_from_clause);
    block->nfrom = (int)s->n_from_clause;
    block->targets = facts_targets(c, block, s->target_list, s->n_target_list);
    block->ntargets = (int)s->n_target_list;
    block->where = facts_expr(c, block, s->where_clause);
    grouping(c, block, s);
    distinct(c, block, s);
    named_windows(c, block, s->window_clause, s->n_window_clause);
    block->order_by = facts_exprs(c, block, s->sort_clause, s->n_sort_clause);
    block->norder_by = (int)s->n_sort_clause;
    block->limit = facts_expr(c, block, s->limit_count);
    block->offset = facts_expr(c, block, s->limit_offset);
    locking(block, s);
    return block;
}

/* NULL for a node that is no query. */
Block *facts_block(Convert *c, Block *parent, const Node *query) {
    if (!query)
        return NULL;
    switch (query->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        return facts_select(c, parent, query->select_stmt);
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        return facts_insert(c, parent, query->insert_stmt);
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return facts_update(c, parent, query->update_stmt);
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return facts_delete(c, parent, query->delete_stmt);
    case PG_QUERY__NODE__NODE_MERGE_STMT:
        return facts_merge(c, parent, query->merge_stmt);
    default:
        return NULL;
    }
}
