/* FROM: what it names, what holds on its rows, and what may be added to its joins.
 *
 * A join's ON is a place for what follows from it and from the conditions of the joins in it. What holds on
 * each row of a join is handed on: of an outer join, what holds on the side that is kept. */
#include "rewrite/reads_walk.h"

#include <string.h>

#include "rewrite/survey.h"

/* ---- tables ---- */

static void add_candidate(ReadsWalk *w, const ReadsRow *row, const FromItem *item, ReadsPlace *place) {
    if (w->looking || reads_tenant_cell(row) == READS_NO_CELL)
        return;
    w->candidates = reads_grow(w, w->candidates, w->ncandidates, &w->candidate_capacity, sizeof(ReadsFilter));
    w->candidates[w->ncandidates++] =
        (ReadsFilter){.row = row, .alias = item->alias ? item->alias : row->table->name, .place = place};
}

void reads_name_filters(ReadsWalk *w, const ReadsPlace *place, const ReadsEnv *env) {
    reads_count(w, w->ncandidates);
    for (int i = 0; i < w->ncandidates && place && !w->gave_up; i++) {
        if (w->candidates[i].place == place)
            w->candidates[i].name = reads_name_of(w, env, reads_tenant_cell(w->candidates[i].row));
    }
}

static void view_columns(ReadsWalk *w, const Table *view, ReadsColumns *columns) {
    const Block *block = survey_view(w->rw->survey, view);
    const Names *names = w->names;
    bool looking = w->looking;

    if (!block) {
        columns->open = true;
        return;
    }
    w->names = w->rw->view_names;
    w->looking = true;
    reads_block(w, block, NULL, columns, NULL);
    w->names = names;
    w->looking = looking;
    for (int i = 0; i < view->ncolumns && i < columns->n && !columns->open; i++)
        columns->all[i].name = view->columns[i].name;
}

/* The row that stands for `row` here: one for each of the CTE's. */
static const ReadsRow *own_row(ReadsWalk *w, const ReadsColumns *from, const ReadsColumns *to,
                               const ReadsRow *row) {
    for (int i = 0; i < to->n; i++) {
        if (from->all[i].row == row)
            return to->all[i].row;
    }
    reads_count(w, to->n);
    return reads_new_row(w, row->table, row->ncells);
}

/* The rows of a CTE, each time that it is read, are rows of their own; but a value that one of them has is a
 * reason not to look for another one in it. */
static void cte_columns(ReadsWalk *w, const Cte *cte, ReadsColumns *columns) {
    const ReadsColumns *from = NULL;

    for (int i = 0; i < w->nctes && !from; i++)
        from = w->ctes[i].cte == cte ? w->ctes[i].columns : NULL;
    columns->open = !from || from->open;
    for (int i = 0; from && i < from->n && !w->gave_up; i++) {
        ReadsColumn column = from->all[i];

        if (column.row) {
            column.row = own_row(w, from, columns, column.row);
            column.cell += column.row->base - from->all[i].row->base;
            reads_imply(w, column.cell, from->all[i].cell);
        }
        reads_add_column(w, columns, column);
    }
    reads_rename(columns, cte->columns, cte->ncolumns);
}

/* Whether it is sent otherwise: as a sub-select without its tenant column (rewrite/star_wrap.h). */
static bool is_replaced(ReadsWalk *w, const FromItem *item) {
    const EditList *edits = w->rw->edits;
    bool found = false;

    reads_count(w, edits->nedits);
    for (int i = 0; i < edits->nedits && !found && !w->looking; i++)
        found = edits->edits[i].offset >= item->span.start && edits->edits[i].offset <= item->span.end;
    return found;
}

static void table_item(ReadsWalk *w, const ReadsFrom *from, const FromItem *item, ReadsPlace *place,
                       ReadsColumns *columns) {
    NameMeaning meaning = names_resolve(w->names, from->block, &item->name);
    const ReadsRow *row;

    if (meaning.kind == NAME_CTE) {
        cte_columns(w, meaning.cte, columns);
    } else if (meaning.kind != NAME_TABLE || is_replaced(w, item)) {
        columns->open = true;
    } else if (meaning.table->relkind == 'v') {
        view_columns(w, meaning.table, columns);
    } else {
        row = reads_new_row(w, meaning.table, meaning.table->ncolumns + 1);
        reads_table_columns(w, row, columns);
        add_candidate(w, row, item, place);
    }
}

/* ---- joins ---- */

static const ReadsColumn *named(ReadsWalk *w, const ReadsSpace *space, const char *name) {
    reads_count(w, space->merged.n);
    for (int i = 0; i < space->merged.n; i++) {
        if (strcmp(space->merged.all[i].name, name) == 0)
            return &space->merged.all[i];
    }
    for (int i = 0; i < space->nitems && !w->gave_up; i++) {
        const ReadsColumns *columns = space->items[i].columns;

        reads_count(w, columns->n + 1);
        for (int k = 0; k < columns->n; k++) {
            if (columns->all[k].name && strcmp(columns->all[k].name, name) == 0)
                return &columns->all[k];
        }
    }
    return NULL;
}

static void merge_column(ReadsWalk *w, const FromItem *join, const ReadsSpace *left, const ReadsSpace *right,
                         const char *name, ReadsColumns *merged, ReadsFacts *facts) {
    const ReadsColumn *a = named(w, left, name), *b = named(w, right, name);
    const ReadsColumn *kept = join->join == JOIN_TYPE_RIGHT ? b : join->join == JOIN_TYPE_FULL ? NULL : a;
    ReadsColumn column = {name, kept ? kept->row : NULL, kept ? kept->cell : READS_NO_CELL};

    /* NATURAL is made to leave out a column that was added (rewrite/ambiguity.h). */
    if (join->natural && ((a && reads_is_added(a)) || (b && reads_is_added(b))))
        column = (ReadsColumn){name, NULL, READS_NO_CELL};
    else if (a && b && a->cell != READS_NO_CELL && b->cell != READS_NO_CELL)
        reads_take_equality(w, a, b, facts);
    reads_add_column(w, merged, column);
}

static void merge_columns(ReadsWalk *w, const FromItem *join, const ReadsSpace *left, const ReadsSpace *right,
                          ReadsColumns *merged, ReadsFacts *facts) {
    for (int i = 0; i < join->nusing; i++)
        merge_column(w, join, left, right, join->using_columns[i], merged, facts);
    for (int i = 0; i < left->nitems && join->natural; i++) {
        const ReadsColumns *columns = left->items[i].columns;

        for (int k = 0; k < columns->n && !w->gave_up; k++) {
            if (columns->all[k].name && named(w, right, columns->all[k].name))
                merge_column(w, join, left, right, columns->all[k].name, merged, facts);
        }
    }
}

static bool is_open(const ReadsSpace *space) {
    for (int i = 0; i < space->nitems; i++) {
        if (space->items[i].columns->open)
            return true;
    }
    return false;
}

static bool is_merged(const ReadsColumns *merged, const char *name) {
    for (int i = 0; i < merged->n; i++) {
        if (name && strcmp(merged->all[i].name, name) == 0)
            return true;
    }
    return false;
}

/* (a JOIN b …) AS j: what is in it can be named as columns of j alone. Their order, and whether there are two
 * of a name, is not worked out where columns have been merged in the joins below, too (`nested`). */
static ReadsItem aliased(ReadsWalk *w, const FromItem *join, const ReadsSpace *space, bool nested) {
    ReadsColumns *columns = ARENA_NEW(w->rw->arena, ReadsColumns);

    for (int i = 0; i < space->merged.n; i++)
        reads_add_column(w, columns, space->merged.all[i]);
    for (int i = 0; i < space->nitems; i++) {
        const ReadsColumns *of = space->items[i].columns;

        for (int k = 0; k < of->n; k++) {
            reads_count(w, space->merged.n);
            if (!is_merged(&space->merged, of->all[k].name))
                reads_add_column(w, columns, of->all[k]);
        }
    }
    columns->open = is_open(space) || nested;
    reads_rename(columns, join->columns, join->ncolumns);
    return (ReadsItem){NULL, join->alias, columns};
}

/* Of an outer join only what holds on the side that is kept holds on each row. */
static void keep_facts(const FromItem *join, ReadsFacts *facts, int left, int right, int on) {
    if (join->join == JOIN_TYPE_LEFT)
        facts->n = right;
    if (join->join == JOIN_TYPE_FULL)
        facts->n = left;
    if (join->join == JOIN_TYPE_RIGHT) {
        for (int i = right; i < on; i++)
            facts->all[left + i - right] = facts->all[i];
        facts->n = left + on - right;
    }
}

static const ReadsColumns *copy_of(ReadsWalk *w, const ReadsColumns *columns) {
    ReadsColumns *copy = ARENA_NEW(w->rw->arena, ReadsColumns);

    *copy = *columns;
    return copy;
}

typedef struct Side {
    ReadsSpace space;
    Cells cells;
} Side;

static void join_side(ReadsWalk *w, const ReadsFrom *from, const FromItem *item, const ReadsEnv *lateral,
                      ReadsPlace *place, Side *side) {
    side->cells.from = w->ncells;
    reads_item(w, from, item, lateral, place, &side->space);
    side->cells.to = w->ncells;
}

static void on_condition(ReadsWalk *w, const ReadsFrom *from, const FromItem *join, ReadsPlace *on,
                         const ReadsSpace *both, int first_fact) {
    const ReadsEnv env = {.space = both, .outer = from->outer};

    reads_take_facts(w, &env, join->quals, from->facts);
    reads_join(w, on, &env, from->facts, first_fact, from->first_cell);
    reads_name_filters(w, on, &env);
    reads_true_sublinks(w, &env, join->quals, from->facts, first_fact);
}

static void join_item(ReadsWalk *w, const ReadsFrom *from, const FromItem *join, const ReadsEnv *lateral,
                      ReadsPlace *place, ReadsSpace *space) {
    ReadsPlace *on = join->quals ? reads_new_place(w, join->quals_span, 0, join->quals) : NULL;
    const bool keeps_left = join->join != JOIN_TYPE_RIGHT && join->join != JOIN_TYPE_FULL;
    const bool keeps_right = join->join != JOIN_TYPE_LEFT && join->join != JOIN_TYPE_FULL;
    ReadsPlace *nullable = join->join == JOIN_TYPE_FULL ? NULL : on;
    Side left = {0}, right = {0};
    const ReadsEnv beside = {.space = &left.space, .outer = lateral};
    ReadsSpace both = {0};
    ReadsColumns merged = {0};
    int first = from->facts->n, middle, end;

    if (on)
        on->of_join = true;
    join_side(w, from, join->left, lateral, keeps_left ? place : nullable, &left);
    middle = from->facts->n;
    join_side(w, from, join->right, &beside, keeps_right ? place : nullable, &right);
    end = from->facts->n;
    merge_columns(w, join, &left.space, &right.space, &merged, from->facts);
    for (int i = 0; i < merged.n; i++)
        reads_add_column(w, &both.merged, merged.all[i]);
    reads_add_space(w, &both, &left.space);
    reads_add_space(w, &both, &right.space);
    if (join->using_alias)
        reads_add_item(w, &both, (ReadsItem){NULL, join->using_alias, copy_of(w, &merged)});
    /* Which columns are merged is not known, and with them, what their names mean. */
    w->gave_up |= join->natural && (is_open(&left.space) || is_open(&right.space)) &&
                  (join->join == JOIN_TYPE_RIGHT || join->join == JOIN_TYPE_FULL);
    on_condition(w, from, join, on, &both, first);
    if (join->join == JOIN_TYPE_LEFT)
        reads_note_values(w, from->facts, first, right.cells);
    if (join->join == JOIN_TYPE_RIGHT)
        reads_note_values(w, from->facts, first, left.cells);
    keep_facts(join, from->facts, first, middle, end);
    if (join->alias)
        reads_add_item(w, space, aliased(w, join, &both, left.space.merged.n + right.space.merged.n > 0));
    else
        reads_add_space(w, space, &both);
}

/* ---- items ---- */

/* An item without a name has one that nothing else has. */
static const char *item_name(const FromItem *item) {
    if (item->alias)
        return item->alias;
    if (item->kind == FROM_TABLE)
        return item->name.name;
    if (item->kind == FROM_FUNCTION && item->nexprs > 0 && item->exprs[0] && item->exprs[0]->name.name)
        return item->exprs[0]->name.name;
    return item->kind == FROM_OTHER ? "xmltable" : "";
}

void reads_item(ReadsWalk *w, const ReadsFrom *from, const FromItem *item, const ReadsEnv *lateral,
                ReadsPlace *place, ReadsSpace *space) {
    ReadsColumns *columns = ARENA_NEW(w->rw->arena, ReadsColumns);

    reads_count(w, 1);
    if (w->gave_up)
        return;
    switch (item->kind) {
    case FROM_JOIN:
        join_item(w, from, item, lateral, place, space);
        return;
    case FROM_TABLE:
        table_item(w, from, item, place, columns);
        break;
    case FROM_SUBQUERY:
    case FROM_VALUES:
        reads_block(w, item->block, item->lateral ? lateral : from->outer, columns, from->facts);
        break;
    default:
        columns->open = true;
        break;
    }
    for (int i = 0; i < item->nexprs; i++)
        reads_sublinks(w, lateral, item->exprs[i]);
    reads_rename(columns, item->columns, item->ncolumns);
    reads_add_item(w, space, (ReadsItem){item->alias ? NULL : item->name.schema, item_name(item), columns});
}

ReadsPlace *reads_new_place(ReadsWalk *w, Span condition, uint32_t where, const Expr *expr) {
    ReadsPlace *place;

    if (w->looking || (condition.end == 0 && where == 0))
        return NULL;
    place = ARENA_NEW(w->rw->arena, ReadsPlace);
    *place = (ReadsPlace){.condition = condition, .where = where, .is_or = expr && expr->kind == EXPR_OR};
    if (w->last_place)
        w->last_place->next = place;
    else
        w->places = place;
    w->last_place = place;
    return place;
}
