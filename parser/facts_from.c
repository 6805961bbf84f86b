/* FROM: tables, joins, sub-selects, functions. */
#include "parser/facts_internal.h"

static FromItem *new_item(Convert *c, FromKind kind, const PgQuery__Alias *alias) {
    FromItem *item = ARENA_NEW(c->arena, FromItem);

    item->kind = kind;
    if (alias) {
        item->alias = facts_string(c, alias->aliasname);
        item->columns = facts_strings(c, alias->colnames, alias->n_colnames);
        item->ncolumns = (int)alias->n_colnames;
    }
    return item;
}

FromItem *facts_table(Convert *c, const PgQuery__RangeVar *var) {
    FromItem *item = new_item(c, FROM_TABLE, var->alias);

    item->name = (Name){facts_string(c, var->catalogname), facts_string(c, var->schemaname),
                        facts_string(c, var->relname)};
    item->only = !var->inh;
    item->location = facts_location(c, var->location);
    if (var->location >= 0)
        item->span = facts_name_span(c, item->location);
    return item;
}

static FromItem *subquery(Convert *c, Block *block, const PgQuery__RangeSubselect *s) {
    FromItem *item = new_item(c, FROM_SUBQUERY, s->alias);

    item->lateral = s->lateral;
    item->block = facts_block(c, block, s->subquery);
    if (item->block && item->block->kind == BLOCK_VALUES)
        item->kind = FROM_VALUES;
    return item;
}

/* The names of a column definition list, f() AS t(a int, b text), where there are no other column aliases. */
static void column_definitions(Convert *c, FromItem *item, Node **list, size_t n) {
    if (n == 0 || item->ncolumns > 0)
        return;
    item->columns = ARENA_ARRAY(c->arena, const char *, n);
    item->ncolumns = (int)n;
    for (size_t i = 0; i < n; i++)
        if (list[i]->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
            item->columns[i] = facts_string(c, list[i]->column_def->colname);
}

static FromItem *function(Convert *c, Block *block, const PgQuery__RangeFunction *f) {
    FromItem *item = new_item(c, FROM_FUNCTION, f->alias);

    item->lateral = f->lateral;
    item->nexprs = (int)f->n_functions;
    item->exprs = ARENA_ARRAY(c->arena, Expr *, f->n_functions);
    for (size_t i = 0; i < f->n_functions; i++) {
        /* A list of the call and its column definitions. */
        const Node *node = f->functions[i];

        if (node->node_case == PG_QUERY__NODE__NODE_LIST && node->list->n_items > 0)
            node = node->list->items[0];
        item->exprs[i] = facts_expr(c, block, node);
    }
    column_definitions(c, item, f->coldeflist, f->n_coldeflist);
    return item;
}

static void add_expr(Convert *c, FromItem *item, Block *block, const Node *node) {
    if (!node)
        return;
    item->exprs = facts_grow(c, item->exprs, item->nexprs, sizeof(*item->exprs));
    item->exprs[item->nexprs++] = facts_expr(c, block, node);
}

static FromItem *xml_table(Convert *c, Block *block, const PgQuery__RangeTableFunc *f) {
    FromItem *item = new_item(c, FROM_OTHER, f->alias);

    item->lateral = f->lateral;
    item->location = facts_location(c, f->location);
    add_expr(c, item, block, f->docexpr);
    add_expr(c, item, block, f->rowexpr);
    for (size_t i = 0; i < f->n_namespaces; i++)
        add_expr(c, item, block, f->namespaces[i]);
    for (size_t i = 0; i < f->n_columns; i++) {
        if (f->columns[i]->node_case != PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC_COL)
            continue;
        add_expr(c, item, block, f->columns[i]->range_table_func_col->colexpr);
        add_expr(c, item, block, f->columns[i]->range_table_func_col->coldefexpr);
    }
    return item;
}

static FromItem *sample(Convert *c, Block *block, const PgQuery__RangeTableSample *s) {
    FromItem *item = facts_from_item(c, block, s->relation);

    for (size_t i = 0; i < s->n_args; i++)
        add_expr(c, item, block, s->args[i]);
    add_expr(c, item, block, s->repeatable);
    return item;
}

static FromItem *join(Convert *c, Block *block, const PgQuery__JoinExpr *j) {
    static const JoinType types[] = {
        [PG_QUERY__JOIN_TYPE__JOIN_LEFT] = JOIN_TYPE_LEFT,
        [PG_QUERY__JOIN_TYPE__JOIN_FULL] = JOIN_TYPE_FULL,
        [PG_QUERY__JOIN_TYPE__JOIN_RIGHT] = JOIN_TYPE_RIGHT,
    };
    FromItem *item = new_item(c, FROM_JOIN, j->alias);

    item->left = facts_from_item(c, block, j->larg);
    item->right = facts_from_item(c, block, j->rarg);
    item->natural = j->is_natural;
    item->using_columns = facts_strings(c, j->using_clause, j->n_using_clause);
    item->nusing = (int)j->n_using_clause;
    if (j->join_using_alias)
        item->using_alias = facts_string(c, j->join_using_alias->aliasname);
    item->quals = facts_expr(c, block, j->quals);
    if ((size_t)j->jointype < ARRAY_LEN(types))
        item->join = types[j->jointype];
    if (item->join == JOIN_TYPE_INNER && !item->quals && !item->natural && item->nusing == 0)
        item->join = JOIN_TYPE_CROSS;
    return item;
}

FromItem *facts_from_item(Convert *c, Block *block, const Node *node) {
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
        return facts_table(c, node->range_var);
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        return subquery(c, block, node->range_subselect);
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
        return function(c, block, node->range_function);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC:
        return xml_table(c, block, node->range_table_func);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
        return sample(c, block, node->range_table_sample);
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
        return join(c, block, node->join_expr);
    default:
        return new_item(c, FROM_OTHER, NULL);
    }
}

FromItem **facts_from(Convert *c, Block *block, Node **list, size_t n) {
    FromItem **from = n > 0 ? ARENA_ARRAY(c->arena, FromItem *, n) : NULL;

    for (size_t i = 0; i < n; i++)
        from[i] = facts_from_item(c, block, list[i]);
    return from;
}
