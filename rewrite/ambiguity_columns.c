/* A list is walked as the server expands it, twice where need be: once as if no table under migration had its
 * tenant column, once as if all had. So what is decided is the same before the column is added and after. */
#include "rewrite/ambiguity_columns.h"

#include <string.h>

/* Sub-selects in sub-selects; a CTE that reads itself never ends. */
#define MAX_DEPTH 50

static bool same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

bool ambiguity_is_late(const Rewrite *rw, const Table *table) {
    if (!table->tenant_column || table == rw->snapshot->tenant_table)
        return false;
    if (table->hide_tenant)
        return true;
    return table->kind == KIND_BACKFILL && table->stage < STAGE_DONE &&
           (table->staged || !table->tenant || table->stage > STAGE_OBSERVE);
}

int ambiguity_count(Ambiguity *a, const AmbiguityColumns *columns, const char *name) {
    int n = 0;

    if (!star_may(&a->star, (size_t)columns->n))
        return 0;
    for (int i = 0; i < columns->n; i++)
        n += same(columns->columns[i].name, name);
    return n;
}

/* As many steps as a column takes memory. */
static void add(Ambiguity *a, AmbiguityColumns *list, AmbiguityColumn column) {
    if (!star_may(&a->star, 4)) {
        list->unknown = true;
        return;
    }
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 16;
        AmbiguityColumn *columns = ARENA_ARRAY(a->rw->arena, AmbiguityColumn, capacity);

        if (list->n > 0)
            memcpy(columns, list->columns, sizeof(*columns) * (size_t)list->n);
        list->columns = columns;
        list->capacity = capacity;
    }
    list->columns[list->n++] = column;
}

/* Those that * shows. */
static void add_shown(Ambiguity *a, AmbiguityColumns *list, const AmbiguityColumns *more) {
    list->unknown |= more->unknown;
    for (int i = 0; i < more->n; i++) {
        if (!more->columns[i].hidden)
            add(a, list, more->columns[i]);
    }
}

static void add_all(Ambiguity *a, AmbiguityColumns *list, const AmbiguityColumns *more) {
    list->unknown |= more->unknown;
    for (int i = 0; i < more->n; i++) {
        if (more->columns[i].name)
            add(a, list, more->columns[i]);
    }
}

/* Aliases count from the first on; hidden columns they do not count. */
static void rename_first(AmbiguityColumns *list, const char *const *names, int n) {
    for (int i = 0, k = 0; i < list->n && k < n; i++) {
        if (!list->columns[i].hidden)
            list->columns[i].name = names[k++];
    }
}

/* ---- tables and queries ---- */

static void add_table(Ambiguity *a, AmbiguityColumns *list, const Table *table, AmbiguityTime time) {
    const bool late = ambiguity_is_late(a->rw, table);
    bool seen = false;

    list->unknown |= table->ncolumns == 0;
    for (int i = 0; i < table->ncolumns; i++) {
        const char *name = table->columns[i].name;
        const bool tenant = late && strcmp(name, table->tenant_column) == 0;

        seen |= tenant;
        if (!tenant || time == AFTER_COLUMN)
            add(a, list, (AmbiguityColumn){.name = name, .hidden = tenant && table->hide_tenant});
    }
    if (late && !seen && time == AFTER_COLUMN)
        add(a, list, (AmbiguityColumn){.name = table->tenant_column, .hidden = table->hide_tenant});
}

static void add_named(Ambiguity *a, AmbiguityColumns *list, const Block *block, const FromItem *item,
                      AmbiguityTime time) {
    NameMeaning meaning = names_resolve(a->rw->names, item == block->target ? NULL : block, &item->name);

    if (meaning.kind == NAME_TABLE) {
        add_table(a, list, meaning.table, time);
    } else if (meaning.kind == NAME_CTE) {
        *list = ambiguity_outputs(a, meaning.cte->block, time);
        rename_first(list, meaning.cte->columns, meaning.cte->ncolumns);
    } else {
        list->unknown = true;
    }
}

/* The name that the server gives a column that has none. */
static const char *made_name(const Expr *expr) {
    while (expr) {
        if (expr->column)
            return expr->column;
        if (expr->kind == EXPR_FUNC)
            return expr->name.name;
        if (expr->kind == EXPR_SUBLINK && expr->sublink == SUBLINK_EXPR && expr->block &&
            expr->block->ntargets > 0) {
            const Target *first = &expr->block->targets[0];

            if (first->name)
                return first->name;
            expr = first->expr;
        } else if ((expr->kind == EXPR_CAST || expr->kind == EXPR_OTHER) && expr->nargs > 0) {
            expr = expr->args[0];
        } else if (expr->kind == EXPR_CASE && expr->nargs > 0) {
            expr = expr->args[expr->nargs - 1];
        } else {
            expr = NULL;
        }
    }
    return NULL;
}

static bool is_called(const FromItem *item, const Name *name) {
    if (!same(star_range_name(item), name->name))
        return false;
    return !name->schema || (!item->alias && (!item->name.schema || same(item->name.schema, name->schema)));
}

static const FromItem *find_item(const FromItem *item, const Name *name) {
    const FromItem *found = NULL;

    if (!item || is_called(item, name) || item->kind != FROM_JOIN || item->alias)
        return item && is_called(item, name) ? item : NULL;
    found = find_item(item->left, name);
    return found ? found : find_item(item->right, name);
}

static void add_star_of(Ambiguity *a, AmbiguityColumns *list, const Block *block, const Name *name,
                        AmbiguityTime time) {
    const FromItem *found = NULL;
    AmbiguityColumns columns = {.unknown = true};

    for (; block && !found; block = found ? block : block->parent) {
        found = find_item(block->target, name);
        for (int i = 0; i < block->nfrom && !found; i++)
            found = find_item(block->from[i], name);
        if (found)
            columns = ambiguity_columns(a, block, found, time);
    }
    add_shown(a, list, &columns);
}

static void add_star(Ambiguity *a, AmbiguityColumns *list, const Block *block, AmbiguityTime time) {
    AmbiguityColumns columns;

    if (block->target) {
        columns = ambiguity_columns(a, block, block->target, time);
        add_shown(a, list, &columns);
    }
    for (int i = 0; i < block->nfrom; i++) {
        columns = ambiguity_columns(a, block, block->from[i], time);
        add_shown(a, list, &columns);
    }
}

/* (x).*, whose columns are those of x's type. */
static bool is_row_star(const Ambiguity *a, const Target *target) {
    return target->expr->kind == EXPR_OTHER && target->expr_span.end > 0 &&
           a->rw->text.ptr[target->expr_span.end - 1] == '*';
}

static void add_list(Ambiguity *a, AmbiguityColumns *list, const Block *block, const Target *targets, int n,
                     AmbiguityTime time) {
    for (int i = 0; i < n; i++) {
        const Expr *expr = targets[i].expr;

        if (!expr || is_row_star(a, &targets[i]))
            list->unknown = true;
        else if (expr->kind == EXPR_STAR && expr->name.name)
            add_star_of(a, list, block, &expr->name, time);
        else if (expr->kind == EXPR_STAR)
            add_star(a, list, block, time);
        else
            add(a, list, (AmbiguityColumn){.name = targets[i].name ? targets[i].name : made_name(expr)});
    }
}

AmbiguityColumns ambiguity_outputs(Ambiguity *a, const Block *query, AmbiguityTime time) {
    AmbiguityColumns list = {0};

    while (query && query->kind == BLOCK_SETOP)
        query = query->left;
    if (!query || a->depth >= MAX_DEPTH || !star_may(&a->star, 1)) {
        list.unknown = true;
        return list;
    }
    a->depth++;
    if (query->kind == BLOCK_SELECT)
        add_list(a, &list, query, query->targets, query->ntargets, time);
    else if (query->kind != BLOCK_VALUES)
        add_list(a, &list, query, query->returning, query->nreturning, time);
    for (int i = 0; query->kind == BLOCK_VALUES && query->nrows > 0 && i < query->rows[0].ncells; i++)
        add(a, &list, (AmbiguityColumn){.name = arena_printf(a->rw->arena, "column%d", i + 1)});
    for (int i = 0; i < list.n; i++)
        list.columns[i].range = list.columns[i].qualifier = NULL;
    a->depth--;
    return list;
}

/* ---- joins ---- */

static AmbiguityColumn *find(Ambiguity *a, const AmbiguityColumns *list, const char *name) {
    AmbiguityColumn *found = NULL;

    for (int i = 0; i < list->n && !found && star_may(&a->star, 1); i++)
        found = same(list->columns[i].name, name) ? &list->columns[i] : NULL;
    return found;
}

AmbiguityColumns ambiguity_shared(Ambiguity *a, const Block *block, const FromItem *join,
                                  AmbiguityTime time) {
    AmbiguityColumns shared = {0}, left, right;

    for (int i = 0; i < join->nusing; i++)
        add(a, &shared, (AmbiguityColumn){.name = join->using_columns[i]});
    if (!join->natural)
        return shared;
    left = ambiguity_columns(a, block, join->left, time);
    right = ambiguity_columns(a, block, join->right, time);
    shared.unknown = left.unknown || right.unknown;
    for (int i = 0; i < left.n; i++) {
        if (find(a, &right, left.columns[i].name))
            add(a, &shared, (AmbiguityColumn){.name = left.columns[i].name});
    }
    return shared;
}

/* A merged column is that of the side whose rows are all there; where both may be missing, it has no other
 * name than its own. A NATURAL JOIN merges what it merged before: it is made to. */
static AmbiguityColumns join_columns(Ambiguity *a, const Block *block, const FromItem *join,
                                     AmbiguityTime time) {
    const AmbiguityColumns shared = ambiguity_shared(a, block, join, BEFORE_COLUMN);
    AmbiguityColumns left = ambiguity_columns(a, block, join->left, time),
                     right = ambiguity_columns(a, block, join->right, time), list = {0};

    list.unknown = shared.unknown;
    for (int i = 0; i < shared.n; i++) {
        AmbiguityColumn *l = find(a, &left, shared.columns[i].name),
                        *r = find(a, &right, shared.columns[i].name);
        AmbiguityColumn merged = {.name = shared.columns[i].name};

        if (l && r && join->join != JOIN_TYPE_FULL)
            merged = join->join == JOIN_TYPE_RIGHT ? *r : *l;
        add(a, &list, merged);
        if (l)
            l->name = NULL;
        if (r)
            r->name = NULL;
    }
    add_all(a, &list, &left);
    add_all(a, &list, &right);
    return list;
}

AmbiguityColumns ambiguity_columns(Ambiguity *a, const Block *block, const FromItem *from,
                                   AmbiguityTime time) {
    AmbiguityColumns list = {0};
    const char *range = star_range_name(from);

    if (!star_may(&a->star, 1))
        return (AmbiguityColumns){.unknown = true};
    if (from->kind == FROM_JOIN)
        list = join_columns(a, block, from, time);
    else if (from->kind == FROM_TABLE)
        add_named(a, &list, block, from, time);
    else if (from->kind == FROM_SUBQUERY || from->kind == FROM_VALUES)
        list = ambiguity_outputs(a, from->block, time);
    else
        list.unknown = true;
    if (from->kind == FROM_FUNCTION && from->ncolumns > 0) {
        for (int i = 0; i < from->ncolumns; i++)
            add(a, &list, (AmbiguityColumn){.name = from->columns[i]});
    } else {
        rename_first(&list, from->columns, from->ncolumns);
    }
    if (from->kind == FROM_JOIN && !from->alias)
        return list;
    for (int i = 0; i < list.n; i++) {
        list.columns[i].range = range;
        list.columns[i].qualifier = star_range_qualifier(a->rw, from);
    }
    return list;
}
