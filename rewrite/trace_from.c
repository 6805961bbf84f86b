/* FROM is walked as names are looked up: what stands in a join with an alias of its own is not seen.
 *
 * A column that USING merges is that of either side. Where an outer join finds no partner, the parent's side
 * leaves the tenant NULL, as does a missing parent; but only if nothing else than the key is compared. */
#include "rewrite/trace_from.h"

#include <string.h>

#include "rewrite/walk.h"

static bool same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* ---- whose column? ---- */

typedef struct Search {
    Trace *trace;
    const Block *block;
    const Expr *column;
    TraceFound found;
    bool merged;  /* USING names the column */
    bool refused; /* too many, or joined in a way that says nothing */
} Search;

static void add_place(Search *s, const FromItem *item) {
    if (s->found.n == TRACE_MAX_PLACES)
        s->refused = true;
    else
        s->found.places[s->found.n++] = (TracePlace){item, s->column->column};
}

static bool is_named(const FromItem *item, const Name *name) {
    if (!same(outputs_item_name(item), name->name))
        return false;
    return !name->schema || (!item->alias && (!item->name.schema || same(item->name.schema, name->schema)));
}

static bool has_column(Search *s, const FromItem *item) {
    Outputs outputs = outputs_of_item(s->trace->rw, s->block, item, &s->trace->budget);

    for (int i = 0; i < outputs.n; i++) {
        if (same(outputs.columns[i].name, s->column->column))
            return true;
    }
    return false;
}

static void look_at_join(Search *s, const FromItem *join) {
    s->refused |= join->natural && !s->column->name.name;
    for (int i = 0; i < join->nusing; i++) {
        if (!same(join->using_columns[i], s->column->column))
            continue;
        s->merged = true;
        s->refused |=
            join->join != JOIN_TYPE_INNER && join->nusing != s->trace->fk->ncolumns && !s->column->name.name;
    }
}

static void search(Search *s, const FromItem *item) {
    const Name *name = &s->column->name;

    if (--s->trace->budget < 0)
        s->refused = true;
    if (s->refused || !item)
        return;
    if (item->kind == FROM_JOIN) {
        if (item->alias)
            return;
        look_at_join(s, item);
        search(s, item->left);
        search(s, item->right);
    } else if (name->name ? is_named(item, name) : has_column(s, item)) {
        add_place(s, item);
    }
}

TraceFound trace_find(Trace *trace, const Block *block, const Output *output) {
    Search s = {.trace = trace, .block = block, .column = output->expr};
    const TraceFound none = {.n = 0};

    if (!output->expr) {
        if (!output->item || !output->column)
            return none;
        s.found.places[s.found.n++] = (TracePlace){output->item, output->column};
        return s.found;
    }
    if (output->expr->kind != EXPR_COLUMN)
        return none;
    for (int i = 0; i < block->nfrom; i++)
        search(&s, block->from[i]);
    if (s.refused || (s.found.n > 1 && (!s.merged || s.column->name.name)))
        return none;
    for (int i = 0; i < s.found.n; i++) {
        if (!outputs_item_name(s.found.places[i].item))
            return none;
    }
    return s.found;
}

const char *trace_column_in(const TraceFound *found, const FromItem *item) {
    for (int i = 0; i < found->n; i++) {
        if (found->places[i].item == item)
            return found->places[i].column;
    }
    return NULL;
}

/* ---- who reads all of it? ---- */

struct TraceReaders {
    const Cte *cte;
    bool whole; /* somebody reads all of it */
    TraceReaders *next;
};

typedef struct Readers {
    Trace *trace;
    const Cte *cte;
    const Block *reader; /* whose FROM has the query */
    const char *name;    /* by which it does */
    bool whole;
} Readers;

static bool counts(Readers *r) {
    r->whole |= ++r->trace->rw->trace_work > TRACE_MAX_WORK;
    return !r->whole;
}

static bool on_inner_block(const Block *block, void *arg) {
    Readers *r = arg;

    for (int i = 0; i < r->reader->nctes; i++) {
        if (r->reader->ctes[i].block == block)
            return false;
    }
    return counts(r);
}

/* o.*, or o as a value: a row. */
static bool on_expr(const Expr *expr, void *arg) {
    Readers *r = arg;

    r->whole |= expr->kind == EXPR_STAR && same(expr->name.name, r->name);
    r->whole |= expr->kind == EXPR_COLUMN && !expr->name.name && same(expr->column, r->name);
    return counts(r);
}

static void look_for_star(Readers *r, const Target *targets, int n) {
    for (int i = 0; i < n; i++)
        r->whole |= targets[i].expr && targets[i].expr->kind == EXPR_STAR && !targets[i].expr->name.name;
}

static void look_at_reader(Readers *r, const Block *block, const FromItem *item) {
    r->reader = block;
    r->name = outputs_item_name(item);
    look_for_star(r, block->targets, block->ntargets);
    look_for_star(r, block->returning, block->nreturning);
    if (!r->whole)
        walk_inside(block, &(Walk){.block = on_inner_block, .expr = on_expr, .arg = r});
}

static bool on_any_from(const FromItem *item, const Block *block, void *arg) {
    Readers *r = arg;
    NameMeaning meaning;

    if (!counts(r))
        return false;
    if (item->kind != FROM_TABLE || item == block->target || item->name.schema ||
        !same(item->name.name, r->cte->name))
        return true;
    meaning = names_resolve(r->trace->rw->names, block, &item->name);
    if (meaning.kind == NAME_CTE && meaning.cte == r->cte)
        look_at_reader(r, block, item);
    return true;
}

bool trace_reads_all(Trace *trace, const Block *block, const FromItem *item) {
    Readers r = {.trace = trace};

    look_at_reader(&r, block, item);
    return r.whole;
}

static bool cte_is_read_whole(Trace *trace, const Cte *cte) {
    Readers r = {.trace = trace, .cte = cte};
    TraceReaders *known = trace->rw->trace_readers;

    while (known && known->cte != cte)
        known = known->next;
    if (known)
        return known->whole;
    walk_statement(trace->rw->statement, &(Walk){.from = on_any_from, .arg = &r});
    known = ARENA_NEW(trace->rw->arena, TraceReaders);
    *known = (TraceReaders){cte, r.whole, trace->rw->trace_readers};
    trace->rw->trace_readers = known;
    return r.whole;
}

bool trace_may_add(Trace *trace, const Block *block, const FromItem *item, const Cte *cte) {
    return cte ? !cte_is_read_whole(trace, cte) : !trace_reads_all(trace, block, item);
}
