/* What stands in FROM: relations, and the columns that they show under which names. */
#include "rewrite/citus_tree.h"

/* With more relations a statement is not followed. */
#define MAX_RELS 4000

CitusRel *citus_rels_add(CitusQuery *query, CitusRelKind kind, const FromItem *item) {
    CitusRel *rel = ARENA_NEW(query->tree->rw->arena, CitusRel);

    query->tree->gave_up |=
        ++query->tree->nrels > MAX_RELS || !scope_take(&query->tree->scope, sizeof(CitusRel));
    rel->kind = kind;
    rel->item = item;
    rel->owner = query;
    rel->tenant = -1;
    query->rels =
        scope_grow(&query->tree->scope, query->rels, query->nrels, &query->rel_capacity, sizeof(CitusRel *));
    query->rels[query->nrels++] = rel;
    return rel;
}

/* Whether a condition on its output does not reach the rows that it reads. */
static bool is_closed(const Block *block) {
    return block->limit || block->offset || block->group_distinct_or_sets;
}

void citus_rels_take_outputs(CitusRel *rel, const CitusQuery *query, bool equal) {
    CitusTree *tree = query->tree;

    tree->gave_up |= !scope_take(&tree->scope, sizeof(CitusColumn) * (size_t)query->noutputs);
    rel->columns = ARENA_ARRAY(tree->rw->arena, CitusColumn, query->noutputs);
    rel->ncolumns = query->noutputs;
    rel->open = query->outputs_open;
    for (int i = 0; i < query->noutputs; i++) {
        rel->columns[i] = query->outputs[i];
        if (equal && !is_closed(query->block))
            continue;
        rel->columns[i].node = citus_columns_node(tree);
        if (equal)
            citus_columns_put_out(tree, query->outputs[i].node, rel->columns[i].node);
    }
}

void citus_rels_rename(CitusRel *rel, const char *const *names, int n) {
    if (rel->ncolumns == 0 && n > 0) {
        rel->columns = ARENA_ARRAY(rel->owner->tree->rw->arena, CitusColumn, n);
        rel->ncolumns = n;
        for (int i = 0; i < n; i++)
            rel->columns[i].node = citus_columns_node(rel->owner->tree);
    }
    for (int i = 0; i < n && i < rel->ncolumns; i++)
        rel->columns[i].name = names[i];
}

void citus_rels_name(CitusRel *rel, const FromItem *item) {
    const bool table = item->kind == FROM_TABLE;

    rel->schema = item->alias || !table ? NULL : item->name.schema;
    rel->name = item->alias ? item->alias : table ? item->name.name : NULL;
    citus_rels_rename(rel, item->columns, item->ncolumns);
}
