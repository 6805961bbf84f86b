/* Building the tree of queries.
 *
 * A column is looked up while its query is built, when what stands in FROM before it is there and nothing
 * else: so a sub-select in FROM sees its neighbours exactly if it is LATERAL, and a CTE sees none. */
#include "rewrite/citus_plan.h"

#include <string.h>

#include "rewrite/survey.h"
#include "rewrite/walk.h"

/* More queries in one another, or in all, are not followed. */
#define MAX_DEPTH 60
#define MAX_QUERIES 4000
static CitusQuery *build(CitusTree *tree, const Block *block, const Names *names, CitusQuery *parent,
                         CitusQuery *container, CitusPlace place);
static CitusQuery *build_sub(CitusQuery *query, const Expr *sublink, CitusPlace place);

/* ---- expressions ---- */

typedef struct Visit {
    CitusQuery *query;
    CitusPlace place;
} Visit;

static bool on_expr(const Expr *expr, void *arg) {
    Visit *visit = arg;
    CitusQuery *query = visit->query;

    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_STAR)
        citus_columns_look_up(query, expr);
    if (expr->kind != EXPR_SUBLINK)
        return !query->tree->gave_up;
    query->sublinks = true;
    for (int i = 0; i < expr->nargs; i++)
        walk_expr(expr->args[i], NULL, &(Walk){.expr = on_expr, .arg = visit});
    if (expr->block)
        (void)!build_sub(query, expr, visit->place);
    return false;
}

static void visit(CitusQuery *query, const Expr *expr, CitusPlace place) {
    Visit visit = {query, place};

    walk_expr(expr, NULL, &(Walk){.expr = on_expr, .arg = &visit});
}

static void visit_list(CitusQuery *query, Expr *const *exprs, int n, CitusPlace place) {
    for (int i = 0; i < n; i++)
        visit(query, exprs[i], place);
}

static void visit_targets(CitusQuery *query, const Target *targets, int n) {
    for (int i = 0; i < n; i++)
        visit(query, targets[i].expr, CITUS_PLACE_TARGET);
}

static void visit_rows(CitusQuery *query, const Block *block) {
    for (int i = 0; i < block->nrows; i++) {
        for (int k = 0; k < block->rows[i].ncells; k++)
            visit(query, block->rows[i].cells[k].expr, CITUS_PLACE_TARGET);
    }
}

static void add_condition(CitusQuery *query, const Expr *condition, CitusPlace place, int lo, int hi) {
    visit(query, condition, place);
    citus_columns_equate(&(CitusCondition){query, lo, hi}, condition);
}

/* ---- FROM ---- */

static void add_query_rel(CitusQuery *query, const FromItem *item, CitusQuery *sub) {
    CitusRel *rel = citus_rels_add(query, CITUS_REL_QUERY, item);

    rel->query = sub;
    if (sub)
        citus_rels_take_outputs(rel, sub, true);
    else
        rel->open = true;
}

static CitusQuery *find_cte(CitusQuery *query, const Cte *cte) {
    for (CitusQuery *at = query; at; at = at->container) {
        for (int i = 0; i < at->nctes; i++) {
            if (at->ctes[i]->block == cte->block)
                return at->ctes[i];
        }
    }
    return NULL;
}

static CitusQuery *find_owner(CitusQuery *query, const Cte *cte) {
    while (query && query->block != cte->block->parent)
        query = query->container;
    return query;
}

/* The owner of WITH must be a SELECT, and no CTE in it may read itself. */
static bool is_inlined(const CitusQuery *query, const Cte *cte) {
    CitusTree *tree = query->tree;
    const Block *owner = cte->block->parent;

    return tree->inline_ctes && owner && owner->kind <= BLOCK_VALUES &&
           !(owner->recursive && cte->block->kind == BLOCK_SETOP) &&
           scope_cte_is_inlined(query->names, scope_cte(&tree->scope, cte), query->block);
}

static void add_cte(CitusQuery *query, const FromItem *item, const Cte *cte) {
    CitusQuery *made = find_cte(query, cte), *owner = find_owner(query, cte);
    CitusRel *rel;

    if (!made && owner && is_inlined(query, cte)) {
        query->tree->inlined = true;
        add_query_rel(query, item,
                      build(query->tree, cte->block, query->names, owner->parent, query, CITUS_PLACE_FROM));
        rel = query->rels[query->nrels - 1];
    } else {
        rel = citus_rels_add(query, CITUS_REL_CTE, item);
        rel->query = made;
        if (made)
            citus_rels_take_outputs(rel, made, false);
        else
            rel->open = true;
    }
    citus_rels_rename(rel, cte->columns, cte->ncolumns);
}

static CitusRelKind kind_of(const Table *table) {
    if (table->relkind == 'm' || table->relkind == 'f')
        return CITUS_REL_LOCAL;
    if (rewrite_is_tenant_table(table))
        return CITUS_REL_DISTRIBUTED;
    return table->kind == KIND_REFERENCE ? CITUS_REL_REFERENCE : CITUS_REL_LOCAL;
}

static void add_table(CitusQuery *query, const FromItem *item, const Table *table) {
    CitusRel *rel = citus_rels_add(query, kind_of(table), item);

    rel->table = table;
    citus_columns_of_table(query->tree, rel);
}

static void add_view(CitusQuery *query, const FromItem *item, const Table *view) {
    CitusTree *tree = query->tree;
    const Block *block = survey_view(tree->rw->survey, view);
    CitusRel *rel;

    tree->gave_up |= block == NULL;
    add_query_rel(query, item,
                  block ? build(tree, block, tree->rw->view_names, NULL, query, CITUS_PLACE_FROM) : NULL);
    rel = query->rels[query->nrels - 1];
    for (int i = 0; i < view->ncolumns && i < rel->ncolumns && !rel->open; i++)
        rel->columns[i].name = view->columns[i].name;
}

static void add_named(CitusQuery *query, const FromItem *item, bool target) {
    const NameMeaning meaning = names_resolve(query->names, target ? NULL : query->block, &item->name);

    if (meaning.kind == NAME_CTE)
        add_cte(query, item, meaning.cte);
    else if (meaning.kind == NAME_TABLE && meaning.table->relkind == 'v' && !target)
        add_view(query, item, meaning.table);
    else if (meaning.kind == NAME_TABLE)
        add_table(query, item, meaning.table);
    else
        citus_rels_add(query, CITUS_REL_LOCAL, item)->open = true;
    query->tree->gave_up |= meaning.kind == NAME_UNKNOWN;
    visit_list(query, item->exprs, item->nexprs, CITUS_PLACE_OTHER); /* of TABLESAMPLE */
}

static void add_subquery(CitusQuery *query, const FromItem *item) {
    CitusQuery *parent = item->lateral ? query : query->parent;

    add_query_rel(query, item,
                  build(query->tree, item->block, query->names, parent, query, CITUS_PLACE_FROM));
}

static void add_values(CitusQuery *query, const FromItem *item) {
    CitusRel *rel = citus_rels_add(query, CITUS_REL_VALUES, item);
    const int n = item->block->nrows > 0 ? item->block->rows[0].ncells : 0;

    visit_rows(query, item->block);
    rel->columns = ARENA_ARRAY(query->tree->rw->arena, CitusColumn, n);
    rel->ncolumns = n;
    for (int i = 0; i < n; i++) {
        rel->columns[i].node = citus_columns_node(query->tree);
        rel->columns[i].name = arena_printf(query->tree->rw->arena, "column%d", i + 1);
    }
}

/* USING and NATURAL: an equality like another, of two columns of one name. */
static void equate_named(const CitusCondition *condition, int left, int middle, const char *name) {
    CitusQuery *query = condition->query;
    const CitusRel *rels[2] = {NULL, NULL};
    Expr columns[2];
    Expr *args[] = {&columns[0], &columns[1]};
    CitusColumn column;
    Expr equality = {.kind = EXPR_OP, .op = "=", .args = args, .nargs = 2};

    for (int i = left; i < query->nrels && !(rels[0] && rels[1]); i++) {
        const CitusRel **rel = &rels[i >= middle];

        if (!*rel && query->rels[i]->name && citus_columns_find(query->rels[i], name, &column))
            *rel = query->rels[i];
    }
    if (!rels[0] || !rels[1])
        return;
    for (int i = 0; i < 2; i++) {
        columns[i] = (Expr){.kind = EXPR_COLUMN, .column = name};
        columns[i].name.name = rels[i]->name;
        columns[i].name.schema = rels[i]->schema;
    }
    citus_columns_equate(condition, &equality);
}

static void add_item(CitusQuery *query, const FromItem *item);

static void add_join(CitusQuery *query, const FromItem *item) {
    const int left = query->nrels;
    CitusCondition condition = {.query = query};
    JoinType join;
    int middle;

    add_item(query, item->left);
    middle = query->nrels;
    add_item(query, item->right);
    join = citus_outer_join(query, item);
    condition.lo = join == JOIN_TYPE_LEFT || join == JOIN_TYPE_FULL ? middle : left;
    condition.hi = join == JOIN_TYPE_RIGHT || join == JOIN_TYPE_FULL ? middle : query->nrels;
    for (int i = 0; i < item->nusing; i++)
        equate_named(&condition, left, middle, item->using_columns[i]);
    for (int i = left; item->natural && i < middle; i++) {
        for (int k = 0; k < query->rels[i]->ncolumns && !query->tree->gave_up; k++) {
            if (query->rels[i]->columns[k].name)
                equate_named(&condition, left, middle, query->rels[i]->columns[k].name);
        }
    }
    add_condition(query, item->quals, CITUS_PLACE_ON, condition.lo, condition.hi);
    if (item->alias) {
        CitusRel *rel = citus_rels_add(query, CITUS_REL_ALIAS, item);

        rel->lo = left;
        rel->hi = query->nrels - 1;
        rel->name = item->alias;
    }
}

static void add_item(CitusQuery *query, const FromItem *item) {
    switch (item->kind) {
    case FROM_JOIN:
        add_join(query, item);
        return;
    case FROM_TABLE:
        add_named(query, item, false);
        break;
    case FROM_SUBQUERY:
        add_subquery(query, item);
        break;
    case FROM_VALUES:
        add_values(query, item);
        break;
    default:
        visit_list(query, item->exprs, item->nexprs, CITUS_PLACE_OTHER);
        citus_rels_add(query, item->kind == FROM_FUNCTION ? CITUS_REL_FUNCTION : CITUS_REL_OTHER, item)
            ->open = true;
        break;
    }
    citus_rels_name(query->rels[query->nrels - 1], item);
}

/* ---- blocks ---- */

static void add_ctes(CitusQuery *query) {
    const Block *block = query->block;
    CitusTree *tree = query->tree;

    for (int i = 0; i < block->nctes; i++) {
        const Cte *cte = &block->ctes[i];
        const bool select = cte->block->kind <= BLOCK_VALUES;
        CitusQuery *made;

        if (select && (scope_cte(&tree->scope, cte)->references == 0 || is_inlined(query, cte)))
            continue;
        made = build(tree, cte->block, query->names, query->parent, query, CITUS_PLACE_CTE);
        if (!made)
            return;
        query->ctes =
            scope_grow(&tree->scope, query->ctes, query->nctes, &query->cte_capacity, sizeof(CitusQuery *));
        query->ctes[query->nctes++] = made;
    }
}

static void build_select(CitusQuery *query) {
    const Block *block = query->block;

    for (int i = 0; i < block->nfrom && !query->tree->gave_up; i++)
        add_item(query, block->from[i]);
    add_condition(query, block->where, CITUS_PLACE_WHERE, 0, query->nrels);
    visit_targets(query, block->targets, block->ntargets);
    visit(query, block->having, CITUS_PLACE_HAVING);
    visit_list(query, block->group_by, block->ngroup_by, CITUS_PLACE_OTHER);
    visit_list(query, block->distinct_on, block->ndistinct_on, CITUS_PLACE_OTHER);
    visit_list(query, block->order_by, block->norder_by, CITUS_PLACE_OTHER);
    visit_list(query, block->windows, block->nwindows, CITUS_PLACE_OTHER);
    visit(query, block->limit, CITUS_PLACE_LIMIT);
    visit(query, block->offset, CITUS_PLACE_LIMIT);
    citus_columns_outputs(query, block->targets, block->ntargets);
}

/* Set operations in set operations are one, with all their arms, unless the inner one has clauses of its own.
 */
static void add_arms(CitusQuery *query, const Block *block) {
    const Block *arms[] = {block->left, block->right};

    for (size_t i = 0; i < ARRAY_LEN(arms); i++) {
        const bool plain = arms[i]->kind == BLOCK_SETOP && arms[i]->nctes == 0 && arms[i]->norder_by == 0 &&
                           !arms[i]->limit && !arms[i]->offset;

        if (plain)
            add_arms(query, arms[i]);
        else
            (void)!build(query->tree, arms[i], query->names, query->parent, query, CITUS_PLACE_ARM);
    }
}

/* What stands in the same place in all arms counts as equal: so arms that put out their tenants there stay on
 * one shard. */
static void build_setop(CitusQuery *query) {
    const CitusQuery *first;

    add_arms(query, query->block);
    first = query->nsubs > 0 ? query->subs[0] : NULL;
    for (int i = 0; first && i < first->noutputs; i++) {
        const int node = citus_columns_node(query->tree);

        citus_columns_add_output(query, (CitusColumn){first->outputs[i].name, node, first->outputs[i].type});
        for (int k = 0; k < query->nsubs; k++)
            citus_columns_union(query->tree, node,
                                i < query->subs[k]->noutputs ? query->subs[k]->outputs[i].node : -1);
    }
    query->outputs_open = first && first->outputs_open;
    visit(query, query->block->limit, CITUS_PLACE_LIMIT);
    visit(query, query->block->offset, CITUS_PLACE_LIMIT);
}

static void build_values(CitusQuery *query) {
    const Block *block = query->block;

    visit_rows(query, block);
    for (int i = 0; block->nrows > 0 && i < block->rows[0].ncells; i++)
        citus_columns_add_output(query, (CitusColumn){arena_printf(query->tree->rw->arena, "column%d", i + 1),
                                                      citus_columns_node(query->tree), NULL});
}

static void build_merge(CitusQuery *query) {
    const Block *block = query->block;

    add_condition(query, block->merge_on, CITUS_PLACE_ON, 0, query->nrels);
    for (int i = 0; i < block->nmerge_actions; i++) {
        const Block *action = block->merge_actions[i];

        visit(query, action->where, CITUS_PLACE_OTHER);
        visit_targets(query, action->targets, action->ntargets);
        visit_rows(query, action);
    }
}

static void build_write(CitusQuery *query) {
    const Block *block = query->block;

    add_named(query, block->target, true);
    citus_rels_name(query->rels[0], block->target);
    query->rels[0]->item = NULL;
    for (int i = 0; i < block->nfrom && !query->tree->gave_up; i++)
        add_item(query, block->from[i]);
    if (block->kind == BLOCK_MERGE)
        build_merge(query);
    if (block->source)
        (void)!build(query->tree, block->source, query->names, query->parent, query, CITUS_PLACE_OTHER);
    visit_rows(query, block);
    add_condition(query, block->where, CITUS_PLACE_WHERE, 0, query->nrels);
    visit_targets(query, block->targets, block->ntargets);
    visit_targets(query, block->conflict_set, block->nconflict_set);
    visit(query, block->conflict_set_where, CITUS_PLACE_OTHER);
    visit_targets(query, block->returning, block->nreturning);
    citus_columns_outputs(query, block->returning, block->nreturning);
}

static CitusQuery *fill(CitusQuery *query) {
    CitusTree *tree = query->tree;
    CitusQuery *container = query->container;
    const BlockKind kind = query->block->kind;

    tree->gave_up |= tree->depth >= MAX_DEPTH || ++tree->nqueries > MAX_QUERIES ||
                     !scope_take(&tree->scope, sizeof(CitusQuery));
    if (tree->gave_up)
        return query;
    tree->depth++;
    add_ctes(query);
    if (kind == BLOCK_SELECT)
        build_select(query);
    else if (kind == BLOCK_SETOP)
        build_setop(query);
    else if (kind == BLOCK_VALUES)
        build_values(query);
    else
        build_write(query);
    tree->depth--;
    if (container && query->place != CITUS_PLACE_CTE) {
        container->subs = scope_grow(&tree->scope, container->subs, container->nsubs,
                                     &container->sub_capacity, sizeof(CitusQuery *));
        container->subs[container->nsubs++] = query;
    }
    return query;
}

static CitusQuery *new_query(CitusTree *tree, const Block *block, const Names *names, CitusQuery *parent) {
    CitusQuery *query = ARENA_NEW(tree->rw->arena, CitusQuery);

    *query = (CitusQuery){.tree = tree, .block = block, .names = names, .parent = parent};
    return query;
}

static CitusQuery *build(CitusTree *tree, const Block *block, const Names *names, CitusQuery *parent,
                         CitusQuery *container, CitusPlace place) {
    CitusQuery *query = new_query(tree, block, names, parent);

    query->container = container;
    query->place = place;
    query->joined = place == CITUS_PLACE_FROM && scope_is_simple(names, block);
    return fill(query);
}

static CitusQuery *build_sub(CitusQuery *query, const Expr *sublink, CitusPlace place) {
    CitusQuery *sub = new_query(query->tree, sublink->block, query->names, query);

    sub->container = query;
    sub->place = place;
    sub->joined = (place == CITUS_PLACE_WHERE || place == CITUS_PLACE_ON) &&
                  sublink->sublink == SUBLINK_EXISTS && scope_exists_is_join(query->names, sublink->block);
    return fill(sub);
}

CitusQuery *citus_tree_build(CitusTree *tree, Rewrite *rw, const Statement *stmt, bool inline_ctes) {
    CitusQuery *query;

    *tree = (CitusTree){.rw = rw, .inline_ctes = inline_ctes};
    tree->scope.rw = rw;
    scope_count_ctes(&tree->scope, stmt);
    query = build(tree, stmt->block, rw->names, NULL, NULL, CITUS_PLACE_TOP);
    citus_columns_settle(tree);
    return query;
}
