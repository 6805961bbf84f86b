/* Citus merges into a distributed table
 *
 * - from what it knows: tables of its own, and sub-selects, CTEs and views with one of them in it, but no
 *   table that is local to the coordinator, and no function;
 * - joined on the tenant with a column of the source, which is what an INSERT must give as tenant, too;
 * - without any function that is not immutable, be it in the default of a column that INSERT leaves out.
 *
 * It reports the rest as internal errors (XX000); here each rule has its words. The join follows where both
 * tenants are said to be one value, and from the foreign key where the condition compares it with the
 * source's: what has the same parent has the same tenant. A condition on other columns does not tell: a row
 * of another tenant would count as not there. */
#include "rewrite/merge_citus.h"

#include <string.h>

#include "rewrite/insert.h"
#include "rewrite/insert_default.h"
#include "rewrite/stable.h"
#include "rewrite/survey.h"
#include "rewrite/tenant_expr.h"
#include "rewrite/walk.h"

/* ---- the join ---- */

static const char *name_of(const FromItem *item) { return item->alias ? item->alias : item->name.name; }

static SetList on_of(Rewrite *rw, const Block *merge) {
    SetList on = set_of_action(rw, merge, merge);

    on.conditions[1] = NULL;
    return on;
}

static bool is_source_column(const Block *merge, const Table *table, const Expr *expr) {
    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr->kind == EXPR_COLUMN &&
           (expr->name.name ? strcmp(expr->name.name, name_of(merge->target)) != 0
                            : !table_column(table, expr->column));
}

/* A column of the target, and what of the source ON says that it is. */
typedef struct Joined {
    const SetList *on;
    const Table *table;
    const char *column;
    const Expr *found;
} Joined;

static bool find_joined(const Expr *left, const Expr *right, void *arg) {
    Joined *joined = arg;

    if (set_is_own(joined->on, left, joined->column) &&
        is_source_column(joined->on->block, joined->table, right))
        joined->found = right;
    return joined->found != NULL;
}

static const Expr *joined_with(Rewrite *rw, const SetList *on, const Table *table, const char *column) {
    Joined joined = {.on = on, .table = table, .column = column};

    set_equalities(rw, on, find_joined, &joined);
    return joined.found;
}

/* The value that ON says the target's tenant is, and the column of the source that is the same. */
typedef struct Fixed {
    Rewrite *rw;
    const SetList *on;
    const Table *table;
    const Expr *value, *column;
} Fixed;

static bool find_value(const Expr *left, const Expr *right, void *arg) {
    Fixed *fixed = arg;
    const bool comparable = set_same_value(fixed->rw, right, right);

    if (comparable && set_is_own(fixed->on, left, fixed->table->tenant->name))
        fixed->value = right;
    return fixed->value != NULL;
}

static bool find_same(const Expr *left, const Expr *right, void *arg) {
    Fixed *fixed = arg;

    if (left->kind == EXPR_COLUMN && left->name.name && !left->name.schema &&
        is_source_column(fixed->on->block, fixed->table, left) &&
        set_same_value(fixed->rw, right, fixed->value))
        fixed->column = left;
    return fixed->column != NULL;
}

static const char *same_in_source(Rewrite *rw, const SetList *on, const Table *table) {
    Fixed fixed = {.rw = rw, .on = on, .table = table};

    set_equalities(rw, on, find_value, &fixed);
    if (!fixed.value || !set_equalities(rw, on, find_same, &fixed))
        return NULL;
    return arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, fixed.column->name.name),
                        rewrite_quoted(rw, fixed.column->column));
}

/* The tenant of the source, where ON says that both have the same parent. */
static const char *same_parent(Rewrite *rw, const SetList *on, const Table *table) {
    const ForeignKey *fk = table->path.nsteps > 0 ? table->path.steps[0] : NULL;
    const Expr **keys;
    Source source;

    if (!fk)
        return NULL;
    keys = ARENA_ARRAY(rw->arena, const Expr *, fk->ncolumns);
    for (int k = 0; k < fk->ncolumns; k++)
        keys[k] = joined_with(rw, on, table, fk->child_columns[k]->name);
    return source_find(rw, on->block, table, keys, &source) ? source.text : NULL;
}

MergeJoin merge_citus_join(Rewrite *rw, const Block *merge, const Table *table) {
    MergeJoin join = {.merge = merge, .table = table};
    const SetList on = on_of(rw, merge);

    join.joined = joined_with(rw, &on, table, table->tenant->name) != NULL;
    if (join.joined || merge->merge_on_span.end == 0 || !tenant_expr_equality(table->tenant, table->tenant))
        return join;
    join.added = same_in_source(rw, &on, table);
    if (!join.added)
        join.added = same_parent(rw, &on, table);
    join.joined = join.added != NULL;
    return join;
}

void merge_citus_add_join(Rewrite *rw, const MergeJoin *join) {
    const Column *tenant = join->table->tenant;
    const Span span = join->merge->merge_on_span;

    edits_insert(rw->edits, rw->arena, span.start, str_of("("));
    edits_insert(rw->edits, rw->arena, span.end,
                 str_of(arena_printf(rw->arena, ") AND %s.%s OPERATOR(%s.=) %s",
                                     rewrite_quoted(rw, name_of(join->merge->target)),
                                     rewrite_quoted(rw, tenant->name),
                                     rewrite_quoted(rw, tenant_expr_equality(tenant, tenant)), join->added)));
    rw->decision->rewritten = true;
}

bool merge_citus_is_joined(Rewrite *rw, const MergeJoin *join, const Expr *expr) {
    const Block *merge = join->merge;
    const SetList on = on_of(rw, merge);
    Expr named;

    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    if (expr->kind != EXPR_COLUMN)
        return false;
    named = *expr;
    if (!named.name.name && merge->nfrom == 1)
        named.name.name = name_of(merge->from[0]);
    if (!named.name.name)
        return false;
    if (join->added)
        return strcmp(join->added, arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, named.name.name),
                                                rewrite_quoted(rw, named.column))) == 0;
    return set_condition_says(rw, &on, join->table->tenant->name, &named);
}

/* ---- what the statement reads and calls ---- */

typedef struct Look {
    Rewrite *rw;
    const Names *names;
    const Block *merge;
    bool of_citus;        /* some table is one of Citus's, or may be */
    const char *local;    /* one that is not; NULL */
    const char *function; /* one that is not immutable; NULL */
} Look;

static bool is_local(const Rewrite *rw, const Table *table) {
    if (table->citus != CITUS_NONE)
        return false;
    return table->kind == KIND_LOCAL || (rw->snapshot->has_citus && !rewrite_is_distributed(table)) ||
           (table->kind == KIND_BACKFILL && !rewrite_is_distributed(table));
}

static void look_into(Look *look, const Block *block);

static void look_at_view(Look *look, const Table *view) {
    const Block *definition = survey_view(look->rw->survey, view);
    Look inside = *look;

    if (!definition) {
        look->of_citus = true;
        return;
    }
    inside.names = look->rw->view_names;
    look_into(&inside, definition);
    look->of_citus = inside.of_citus;
    look->local = inside.local;
    look->function = inside.function;
}

static bool on_from(const FromItem *item, const Block *block, void *arg) {
    Look *look = arg;
    NameMeaning meaning;

    if (item->kind != FROM_TABLE || item == look->merge->target)
        return true;
    meaning = names_resolve(look->names, block, &item->name);
    if (meaning.kind == NAME_TEMPORARY || meaning.kind == NAME_SYSTEM ||
        (meaning.kind == NAME_TABLE && meaning.table->relkind != 'v' && is_local(look->rw, meaning.table)))
        look->local = item->name.name;
    else if (meaning.kind == NAME_TABLE && meaning.table->relkind == 'v')
        look_at_view(look, meaning.table);
    else if (meaning.kind != NAME_CTE)
        look->of_citus = true;
    return true;
}

static bool on_expr(const Expr *expr, void *arg) {
    Look *look = arg;

    if (stable_mutable(look->rw, expr))
        look->function = expr->name.name;
    return true;
}

static void look_into(Look *look, const Block *block) {
    walk_block(block, &(Walk){.from = on_from, .expr = on_expr, .arg = look});
}

static void look_at_default(Look *look, const Column *column) {
    const InsertDefault made = insert_default(look->rw, column);

    if (column->identity)
        look->function = "nextval";
    else if (made.expr)
        walk_expr(made.expr, NULL, &(Walk){.expr = on_expr, .arg = look});
}

static bool is_default(const Expr *expr) { return expr && expr->kind == EXPR_DEFAULT; }

static void look_at_defaults(Look *look, const Block *action, const Table *table) {
    for (int i = 0; i < table->ncolumns && action->kind != BLOCK_DELETE; i++) {
        const Column *column = &table->columns[i];
        int index = action->kind == BLOCK_INSERT && !action->default_values
                        ? insert_column_index(action, table, column->name)
                        : -1;
        bool defaulted = action->kind == BLOCK_INSERT;

        if (index >= 0 && action->nrows == 1 && index < action->rows[0].ncells)
            defaulted = is_default(action->rows[0].cells[index].expr);
        for (int k = 0; k < action->ntargets && action->kind == BLOCK_UPDATE; k++)
            defaulted |= action->targets[k].name && strcmp(action->targets[k].name, column->name) == 0 &&
                         is_default(action->targets[k].expr);
        if (defaulted && column != table->tenant)
            look_at_default(look, column);
    }
}

/* ---- the rules ---- */

static void refuse(Rewrite *rw, const Table *table, const char *rule, const char *hint) {
    const char *tenant = rewrite_quoted(rw, table->tenant->name);

    rewrite_refuse(rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
                   arena_printf(rw->arena, "this MERGE into table \"%s\" is not supported", table->name),
                   arena_printf(rw->arena, "The table is distributed by %s: %s", tenant, rule), hint);
}

/* The rule that the source breaks; NULL. */
static const char *source_rule(Rewrite *rw, const Look *look) {
    const FromItem *item = look->merge->nfrom == 1 ? look->merge->from[0] : NULL;

    if (look->local)
        return arena_printf(rw->arena, "Citus does not merge into it from %s, a table that it does not know.",
                            rewrite_quoted(rw, look->local));
    if (!item || item->kind == FROM_FUNCTION || item->kind == FROM_OTHER || !look->of_citus)
        return "Citus merges into it only from tables that it knows.";
    return NULL;
}

/* Whether each INSERT that names the tenant gives it the source's. */
static bool inserts_fit(Rewrite *rw, const MergeJoin *join) {
    for (int i = 0; i < join->merge->nmerge_actions; i++) {
        const Block *action = join->merge->merge_actions[i];
        int index;

        if (action->kind != BLOCK_INSERT || action->default_values || action->nrows != 1 ||
            !insert_gives_tenant(action, join->table))
            continue;
        index = insert_column_index(action, join->table, join->table->tenant->name);
        if (index >= 0 && index < action->rows[0].ncells &&
            !merge_citus_is_joined(rw, join, action->rows[0].cells[index].expr))
            return false;
    }
    return true;
}

bool merge_citus_takes(Rewrite *rw, const MergeJoin *join) {
    const char *tenant = rewrite_quoted(rw, join->table->tenant->name), *rule;
    Look look = {.rw = rw, .names = rw->names, .merge = join->merge};

    look_into(&look, join->merge);
    for (int i = 0; i < join->merge->nmerge_actions; i++)
        look_at_defaults(&look, join->merge->merge_actions[i], join->table);
    rule = source_rule(rw, &look);
    if (rule)
        refuse(rw, join->table, rule, "Use INSERT … ON CONFLICT, or UPDATE with the values in it.");
    else if (!join->joined)
        refuse(rw, join->table,
               arena_printf(rw->arena, "ON does not join %s with a column of the source.", tenant),
               arena_printf(rw->arena, "Add … AND %s.%s = <the source's> to ON.",
                            rewrite_quoted(rw, name_of(join->merge->target)), tenant));
    else if (!inserts_fit(rw, join))
        refuse(rw, join->table,
               arena_printf(rw->arena, "INSERT must give %s the column of the source that ON joins it with.",
                            tenant),
               NULL);
    else if (look.function)
        refuse(rw, join->table,
               arena_printf(rw->arena, "functions in it must be immutable, in defaults too, and %s is not.",
                            look.function),
               "Compute the value ahead of the statement and name its column.");
    else
        return true;
    return false;
}
