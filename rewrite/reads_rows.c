/* Rows, columns and names. */
#include "rewrite/reads_walk.h"

#include <string.h>

void *reads_grow(ReadsWalk *w, void *array, int n, int *capacity, size_t size) {
    void *grown;

    if (n < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 8;
    grown = arena_alloc(w->rw->arena, size * (size_t)*capacity);
    if (n > 0)
        memcpy(grown, array, size * (size_t)n);
    return grown;
}

void reads_count(ReadsWalk *w, int work) {
    w->work += work;
    w->gave_up |= w->work > READS_MAX_WORK;
}

/* ---- rows ---- */

static void *larger(ReadsWalk *w, const void *array, int capacity, size_t size) {
    char *grown = arena_alloc(w->rw->arena, size * (size_t)capacity);

    memset(grown, 0, size * (size_t)capacity);
    if (w->ncells > 0)
        memcpy(grown, array, size * (size_t)w->ncells);
    return grown;
}

const ReadsRow *reads_new_row(ReadsWalk *w, const Table *table, int ncells) {
    ReadsRow *row = ARENA_NEW(w->rw->arena, ReadsRow);

    *row = (ReadsRow){table, w->ncells, ncells};
    if (w->ncells + ncells > w->cell_capacity) {
        w->cell_capacity = 2 * (w->ncells + ncells);
        w->has_value = larger(w, w->has_value, w->cell_capacity, sizeof(bool));
        w->row_of = larger(w, w->row_of, w->cell_capacity, sizeof(*w->row_of));
    }
    for (int i = 0; i < ncells; i++)
        w->row_of[w->ncells++] = row;
    reads_count(w, ncells);
    return row;
}

int reads_cell(const ReadsRow *row, const Column *column) {
    return row->base + (int)(column - row->table->columns);
}

int reads_tenant_cell(const ReadsRow *row) {
    const Table *table = row->table;

    if (!table || !table->tenant_column)
        return READS_NO_CELL;
    return table->tenant ? reads_cell(row, table->tenant) : row->base + table->ncolumns;
}

const Column *reads_column_of(const ReadsColumn *column) {
    const ReadsRow *row = column->row;

    if (!row || !row->table || column->cell - row->base >= row->table->ncolumns)
        return NULL;
    return &row->table->columns[column->cell - row->base];
}

/* ---- columns ---- */

void reads_add_column(ReadsWalk *w, ReadsColumns *columns, ReadsColumn column) {
    reads_count(w, 1);
    if (w->gave_up)
        return;
    columns->all = reads_grow(w, columns->all, columns->n, &columns->capacity, sizeof(ReadsColumn));
    columns->all[columns->n++] = column;
}

void reads_add_item(ReadsWalk *w, ReadsSpace *space, ReadsItem item) {
    reads_count(w, 1);
    if (w->gave_up)
        return;
    space->items = reads_grow(w, space->items, space->nitems, &space->item_capacity, sizeof(ReadsItem));
    space->items[space->nitems++] = item;
}

static const ReadsColumn *in_columns(const ReadsColumns *columns, const char *name) {
    for (int i = 0; i < columns->n; i++) {
        if (columns->all[i].name && strcmp(columns->all[i].name, name) == 0)
            return &columns->all[i];
    }
    return NULL;
}

void reads_add_space(ReadsWalk *w, ReadsSpace *space, const ReadsSpace *other) {
    for (int i = 0; i < other->nitems; i++)
        reads_add_item(w, space, other->items[i]);
    for (int i = 0; i < other->merged.n && !w->gave_up; i++) {
        reads_count(w, space->merged.n);
        if (!in_columns(&space->merged, other->merged.all[i].name))
            reads_add_column(w, &space->merged, other->merged.all[i]);
    }
}

void reads_table_columns(ReadsWalk *w, const ReadsRow *row, ReadsColumns *columns) {
    const Table *table = row->table;

    for (int i = 0; i < table->ncolumns; i++)
        reads_add_column(w, columns, (ReadsColumn){table->columns[i].name, row, row->base + i});
    if (table->tenant_column && !table->tenant)
        reads_add_column(w, columns, (ReadsColumn){table->tenant_column, row, row->base + table->ncolumns});
    columns->open |= table->ncolumns == 0;
}

void reads_rename(ReadsColumns *columns, const char *const *names, int n) {
    for (int i = 0; i < n && i < columns->n; i++) {
        if (columns->open) /* which column stands where is not known */
            columns->all[i] = (ReadsColumn){NULL, NULL, READS_NO_CELL};
        columns->all[i].name = names[i];
    }
}

/* ---- what a name means ---- */

static bool is_called(const ReadsItem *item, const char *name) { return strcmp(item->name, name) == 0; }

/* A qualifier with a schema means a table, which need not be written with its schema in FROM. */
static bool is_meant(const ReadsItem *item, const Name *qualifier) {
    return !qualifier->schema || (item->schema && strcmp(item->schema, qualifier->schema) == 0);
}

/* Whether the statement may have been written before the column was there: then its name by itself means
 * another one, if there is another one (rewrite/ambiguity.h). */
bool reads_is_added(const ReadsColumn *column) {
    return column->row && column->row->table && column->row->table->kind == KIND_BACKFILL &&
           column->cell == reads_tenant_cell(column->row);
}

/* Of several that have the name the one that is not added; NULL where that is not one. */
static const ReadsColumn *better(const ReadsColumn *a, const ReadsColumn *b, bool *unclear) {
    bool added = a && reads_is_added(a);

    if (!a || !b)
        return a ? a : b;
    *unclear |= added == reads_is_added(b);
    return added ? b : a;
}

/* *found: the name is one of this space's, whether or not it is known what it means. The statement is a
 * correct one: a name that is known has no second meaning among what is not. */
static const ReadsColumn *look_up(ReadsWalk *w, const ReadsSpace *space, const Expr *expr, bool *found) {
    const ReadsColumn *column = NULL;
    bool unclear = false;

    reads_count(w, space->nitems);
    if (!expr->name.name && (column = in_columns(&space->merged, expr->column))) {
        *found = true;
        return column;
    }
    for (int i = 0; i < space->nitems; i++) {
        const ReadsItem *item = &space->items[i];

        if (expr->name.name && !is_called(item, expr->name.name))
            continue;
        reads_count(w, item->columns->n);
        if (is_meant(item, &expr->name))
            column = better(column, in_columns(item->columns, expr->column), &unclear);
        *found |= column || expr->name.name || item->columns->open;
    }
    return unclear ? NULL : column;
}

static bool is_elsewhere(ReadsWalk *w, const ReadsEnv *env, const Expr *expr) {
    bool found = false;

    for (; env && !found && !w->gave_up; env = env->outer) {
        if (look_up(w, env->space, expr, &found) || env->unknown)
            found = true;
    }
    return found;
}

/* A class of types whose values are compared alike, whichever of them a column has; NULL: not known. */
static const char *family_of(const char *schema, const char *type) {
    static const char *const integers[] = {"int2", "int4", "int8", "numeric"};
    static const char *const texts[] = {"text", "varchar"};
    static const char *const others[] = {"uuid",   "date",  "timestamp", "timestamptz",
                                         "bpchar", "bytea", "bool"};

    if (schema && strcmp(schema, "pg_catalog") != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
        if (strcmp(type, integers[i]) == 0)
            return integers[0];
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(type, texts[i]) == 0)
            return texts[0];
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(type, others[i]) == 0)
            return others[i];
    }
    return NULL;
}

static const char *column_family(const ReadsColumn *column) {
    const Column *of = reads_column_of(column);

    return of ? family_of(of->type_schema, of->type_name) : NULL;
}

static bool keeps_value(const ReadsWalk *w, const Expr *cast, const ReadsColumn *column) {
    const char *family = column_family(column), *target;

    if (!cast->name.name || cast->typmod_or_array || !names_in_catalog(w->names, &cast->name))
        return false;
    target = family_of(NULL, cast->name.name);
    return family && target && target == family;
}

bool reads_resolve(ReadsWalk *w, const ReadsEnv *env, const Expr *expr, ReadsColumn *column) {
    const ReadsColumn *known = NULL;
    bool found = false;

    if (!expr)
        return false;
    if (expr->kind == EXPR_CAST && expr->nargs == 1)
        return reads_resolve(w, env, expr->args[0], column) && keeps_value(w, expr, column);
    if (expr->kind != EXPR_COLUMN || !expr->column)
        return false;
    for (; env && !found && !w->gave_up; env = env->unknown ? NULL : env->outer)
        known = look_up(w, env->space, expr, &found);
    if (!known || known->cell == READS_NO_CELL ||
        (!expr->name.name && reads_is_added(known) && is_elsewhere(w, env, expr)))
        return false;
    *column = *known;
    return true;
}

/* ---- how a cell is written ---- */

static bool is_grouped(ReadsWalk *w, const ReadsEnv *env, int cell) {
    const ReadsEnv here = {.space = env->space};
    const Block *block = env->grouped;

    for (int i = 0; block && i < block->ngroup_by; i++) {
        ReadsColumn column;

        if (block->group_by[i]->kind == EXPR_COLUMN && reads_resolve(w, &here, block->group_by[i], &column) &&
            column.cell == cell)
            return true;
    }
    return block == NULL;
}

/* How many items are called so, in whatever schema. */
static int count_items(const ReadsSpace *space, const char *name) {
    int n = 0;

    for (int i = 0; i < space->nitems; i++)
        n += is_called(&space->items[i], name);
    return n;
}

/* The name of the cell among an item's columns, if nothing else has it. */
static const char *own_name(const ReadsItem *item, int cell) {
    const ReadsColumns *columns = item->columns;
    const char *name = NULL;
    int same = 0;

    for (int i = 0; i < columns->n && !name; i++) {
        if (columns->all[i].cell == cell)
            name = columns->all[i].name;
    }
    for (int i = 0; name && i < columns->n; i++)
        same += columns->all[i].name && strcmp(columns->all[i].name, name) == 0;
    return same == 1 && !columns->open ? name : NULL;
}

static const char *write_name(ReadsWalk *w, const ReadsItem *item, const char *column) {
    Rewrite *rw = w->rw;
    const char *name =
        arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, item->name), rewrite_quoted(rw, column));

    return item->schema ? arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, item->schema), name) : name;
}

/* The item's name means another one between `from` and `to`. */
static bool is_hidden(const ReadsEnv *from, const ReadsEnv *to, const ReadsItem *item) {
    for (; from != to; from = from->outer) {
        if (count_items(from->space, item->name) > 0)
            return true;
    }
    return false;
}

const char *reads_name_of(ReadsWalk *w, const ReadsEnv *env, int cell) {
    for (const ReadsEnv *at = env; at && !w->gave_up; at = at->unknown ? NULL : at->outer) {
        for (int i = 0; i < at->space->nitems; i++) {
            const ReadsItem *item = &at->space->items[i];
            const char *column;

            reads_count(w, item->columns->n + 1);
            column = own_name(item, cell);
            if (column && count_items(at->space, item->name) == 1 && !is_hidden(env, at, item) &&
                is_grouped(w, at, cell))
                return write_name(w, item, column);
        }
    }
    return NULL;
}

/* ---- facts ---- */

void reads_add_fact(ReadsWalk *w, ReadsFacts *facts, ReadsFact fact) {
    reads_count(w, 1);
    if (w->gave_up)
        return;
    facts->all = reads_grow(w, facts->all, facts->n, &facts->capacity, sizeof(ReadsFact));
    facts->all[facts->n++] = fact;
}

void reads_take_equality(ReadsWalk *w, const ReadsColumn *a, const ReadsColumn *b, ReadsFacts *facts) {
    const char *family = column_family(a), *other = column_family(b);

    reads_add_fact(w, facts,
                   (ReadsFact){.a = a->cell, .b = b->cell, .exact = family && other && family == other});
}

static bool is_value(const Expr *expr) {
    if (expr->kind == EXPR_CAST && expr->nargs == 1)
        return is_value(expr->args[0]);
    return expr->kind == EXPR_PARAM || (expr->kind == EXPR_CONST && expr->const_type != CONST_NULL) ||
           (expr->kind == EXPR_OP && expr->nargs == 1 && is_value(expr->args[0]));
}

static void take_pair(ReadsWalk *w, const ReadsEnv *env, const Expr *left, const Expr *right,
                      ReadsFacts *facts) {
    ReadsColumn a, b;
    bool has_a, has_b;

    if (left->kind == EXPR_ROW && right->kind == EXPR_ROW && left->nargs == right->nargs) {
        for (int i = 0; i < left->nargs; i++)
            take_pair(w, env, left->args[i], right->args[i], facts);
        return;
    }
    has_a = reads_resolve(w, env, left, &a);
    has_b = reads_resolve(w, env, right, &b);
    if (has_a && has_b)
        reads_take_equality(w, &a, &b, facts);
    else if (has_a && is_value(right))
        reads_add_fact(w, facts, (ReadsFact){.a = a.cell, .b = READS_NO_CELL, .value = true});
    else if (has_b && is_value(left))
        reads_add_fact(w, facts, (ReadsFact){.a = b.cell, .b = READS_NO_CELL, .value = true});
}

void reads_take_facts(ReadsWalk *w, const ReadsEnv *env, const Expr *condition, ReadsFacts *facts) {
    Name op;

    if (!condition || w->gave_up)
        return;
    op = (Name){.schema = condition->op_schema, .name = condition->op};
    if (condition->kind == EXPR_AND) {
        for (int i = 0; i < condition->nargs; i++)
            reads_take_facts(w, env, condition->args[i], facts);
    } else if (condition->nargs == 2 && ((condition->kind == EXPR_OP && op.name &&
                                          strcmp(op.name, "=") == 0 && names_in_catalog(w->names, &op)) ||
                                         (condition->kind == EXPR_IN && !condition->negated))) {
        take_pair(w, env, condition->args[0], condition->args[1], facts);
    }
}
