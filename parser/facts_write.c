/* Statements that write: INSERT, UPDATE, DELETE, MERGE. */
#include "parser/facts_internal.h"

/* The names of a column list; NULL and `indirection` for a target that names only a part of its column. */
static void column_list(Convert *c, Block *block, Node **list, size_t n) {
    block->has_column_list = n > 0;
    block->ncolumns = (int)n;
    if (n > 0)
        block->columns = ARENA_ARRAY(c->arena, const char *, n);
    for (size_t i = 0; i < n; i++) {
        const PgQuery__ResTarget *column =
            list[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? list[i]->res_target : NULL;

        if (column && column->n_indirection == 0)
            block->columns[i] = facts_string(c, column->name);
        else
            block->indirection = true;
    }
}

static void returning(Convert *c, Block *block, Node **list, size_t n) {
    block->returning = facts_targets(c, block, list, n);
    block->nreturning = (int)n;
}

/* Columns and expressions of an inference clause. */
static void conflict_target(Convert *c, Block *block, const PgQuery__InferClause *infer) {
    block->conflict_constraint = facts_string(c, infer->conname);
    block->conflict_where = facts_expr(c, block, infer->where_clause);
    block->nconflict_target = (int)infer->n_index_elems;
    if (infer->n_index_elems > 0)
        block->conflict_target = ARENA_ARRAY(c->arena, Expr *, infer->n_index_elems);
    for (size_t i = 0; i < infer->n_index_elems; i++) {
        const PgQuery__IndexElem *elem = infer->index_elems[i]->index_elem;

        if (elem->expr) {
            block->conflict_target[i] = facts_expr(c, block, elem->expr);
        } else {
            block->conflict_target[i] = facts_new_expr(c, EXPR_COLUMN, infer->location, 0);
            block->conflict_target[i]->column = facts_string(c, elem->name);
        }
    }
    /* Of "(", to be completed with its end; ON CONSTRAINT has none. */
    if (infer->n_index_elems > 0)
        block->conflict_target_span.start = facts_location(c, infer->location);
}

static void on_conflict(Convert *c, Block *block, const PgQuery__OnConflictClause *clause) {
    block->conflict = clause->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE ? CONFLICT_UPDATE
                                                                                        : CONFLICT_NOTHING;
    if (clause->infer)
        conflict_target(c, block, clause->infer);
    block->conflict_set = facts_targets(c, block, clause->target_list, clause->n_target_list);
    block->nconflict_set = (int)clause->n_target_list;
    block->conflict_set_where = facts_expr(c, block, clause->where_clause);
}

static Overriding overriding(PgQuery__OverridingKind kind) {
    return kind == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE     ? OVERRIDING_USER
           : kind == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE ? OVERRIDING_SYSTEM
                                                                        : OVERRIDING_NONE;
}

/* VALUES with nothing around it belong to the INSERT; with ORDER BY, LIMIT or WITH they are a query. */
static bool is_plain_values(const PgQuery__SelectStmt *s) {
    return s->n_values_lists > 0 && !s->with_clause && s->n_sort_clause == 0 && !s->limit_count &&
           !s->limit_offset && s->n_locking_clause == 0;
}

Block *facts_insert(Convert *c, Block *parent, const PgQuery__InsertStmt *s) {
    Block *block = facts_new_block(c, parent, BLOCK_INSERT);
    const Node *select = s->select_stmt;

    facts_with(c, block, s->with_clause);
    block->target = facts_table(c, s->relation);
    block->location = block->target->location;
    column_list(c, block, s->cols, s->n_cols);
    block->overriding = overriding(s->override);
    if (!select)
        block->default_values = true;
    else if (select->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && is_plain_values(select->select_stmt))
        facts_rows(c, block, select->select_stmt->values_lists, select->select_stmt->n_values_lists);
    else
        block->source = facts_block(c, block, select);
    if (s->on_conflict_clause)
        on_conflict(c, block, s->on_conflict_clause);
    returning(c, block, s->returning_list, s->n_returning_list);
    return block;
}

Block *facts_update(Convert *c, Block *parent, const PgQuery__UpdateStmt *s) {
    Block *block = facts_new_block(c, parent, BLOCK_UPDATE);

    facts_with(c, block, s->with_clause);
    block->target = facts_table(c, s->relation);
    block->location = block->target->location;
    block->targets = facts_targets(c, block, s->target_list, s->n_target_list);
    block->ntargets = (int)s->n_target_list;
    block->from = facts_from(c, block, s->from_clause, s->n_from_clause);
    block->nfrom = (int)s->n_from_clause;
    block->where = facts_expr(c, block, s->where_clause);
    returning(c, block, s->returning_list, s->n_returning_list);
    return block;
}

Block *facts_delete(Convert *c, Block *parent, const PgQuery__DeleteStmt *s) {
    Block *block = facts_new_block(c, parent, BLOCK_DELETE);

    facts_with(c, block, s->with_clause);
    block->target = facts_table(c, s->relation);
    block->location = block->target->location;
    block->from = facts_from(c, block, s->using_clause, s->n_using_clause);
    block->nfrom = (int)s->n_using_clause;
    block->where = facts_expr(c, block, s->where_clause);
    returning(c, block, s->returning_list, s->n_returning_list);
    return block;
}

static Block *merge_action(Convert *c, Block *merge, const PgQuery__MergeWhenClause *when) {
    Block *block = facts_new_block(c, merge, BLOCK_UPDATE);

    block->merge_matched = when->matched;
    block->where = facts_expr(c, block, when->condition);
    if (when->command_type == PG_QUERY__CMD_TYPE__CMD_INSERT) {
        block->kind = BLOCK_INSERT;
        block->overriding = overriding(when->override);
        column_list(c, block, when->target_list, when->n_target_list);
        if (when->n_values == 0) {
            block->default_values = true;
            return block;
        }
        block->nrows = 1;
        block->rows = ARENA_NEW(c->arena, Row);
        block->rows->ncells = (int)when->n_values;
        block->rows->cells = ARENA_ARRAY(c->arena, Cell, when->n_values);
        for (size_t i = 0; i < when->n_values; i++)
            block->rows->cells[i].expr = facts_expr(c, block, when->values[i]);
        return block;
    }
    if (when->command_type == PG_QUERY__CMD_TYPE__CMD_DELETE)
        block->kind = BLOCK_DELETE;
    block->targets = facts_targets(c, block, when->target_list, when->n_target_list);
    block->ntargets = (int)when->n_target_list;
    return block;
}

Block *facts_merge(Convert *c, Block *parent, const PgQuery__MergeStmt *s) {
    Block *block = facts_new_block(c, parent, BLOCK_MERGE);

    facts_with(c, block, s->with_clause);
    block->target = facts_table(c, s->relation);
    block->location = block->target->location;
    block->from = ARENA_NEW(c->arena, FromItem *);
    block->from[0] = facts_from_item(c, block, s->source_relation);
    block->nfrom = 1;
    block->merge_on = facts_expr(c, block, s->join_condition);
    block->merge_actions = ARENA_ARRAY(c->arena, Block *, s->n_merge_when_clauses);
    block->nmerge_actions = (int)s->n_merge_when_clauses;
    for (size_t i = 0; i < s->n_merge_when_clauses; i++)
        block->merge_actions[i] = merge_action(c, block, s->merge_when_clauses[i]->merge_when_clause);
    return block;
}
