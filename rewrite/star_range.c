/* What stands in FROM, and what of it is hidden. */
#include "rewrite/star_range.h"

#include <string.h>

#include "rewrite/outputs.h"

/* A statement near the server's own limits (1600 columns, as many in a list) needs far less. */
#define MAX_STEPS (2 * 1024 * 1024)

bool star_may(Star *s, size_t steps) {
    if (steps >= MAX_STEPS || s->steps >= MAX_STEPS - steps)
        s->steps = MAX_STEPS;
    else
        s->steps += steps;
    return s->steps < MAX_STEPS;
}

void star_note(Star *s, const StarItem *item, const char *why) {
    rewrite_note(s->rw, arena_printf(s->rw->arena, "%s.%s is not hidden: %s",
                                     rewrite_quoted(s->rw, item->table->name),
                                     rewrite_quoted(s->rw, item->table->tenant_column), why));
}

bool star_is_moved(Star *s, Span span) {
    const EditList *edits = s->rw->edits;
    bool moved = !star_may(s, (size_t)(s->last_edit - s->first_edit));

    for (int i = s->first_edit; i < s->last_edit && !moved; i++) {
        const Edit *edit = &edits->edits[i];

        moved = edit->offset < span.end && edit->offset + edit->removed > span.start;
    }
    return moved;
}

/* ---- one item ---- */

static bool same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

const char *star_range_name(const FromItem *from) {
    if (from->alias)
        return from->alias;
    if (from->kind == FROM_TABLE)
        return from->name.name;
    if (from->kind == FROM_FUNCTION && from->nexprs > 0 && from->exprs[0] &&
        from->exprs[0]->kind == EXPR_FUNC)
        return from->exprs[0]->name.name;
    return NULL;
}

/* A table of another schema is found by its schema and name only, if another of the same name is there. */
const char *star_range_qualifier(Rewrite *rw, const FromItem *from) {
    const char *name = star_range_name(from), *quoted = name ? rewrite_quoted(rw, name) : NULL;

    if (!from->alias && from->kind == FROM_TABLE && from->name.schema)
        return arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, from->name.schema), quoted);
    return quoted;
}

static bool may_hide(const Star *s, const Table *table) {
    return table->hide_tenant && table->tenant_column && table != s->rw->snapshot->tenant_table;
}

/* Column aliases for more columns than it shows are written by someone who knows of the hidden one. */
static StarItem make_item(Star *s, const Block *block, const FromItem *from) {
    StarItem item = {.from = from, .name = star_range_name(from)};
    NameMeaning meaning = {.kind = NAME_UNKNOWN};

    if (from->kind == FROM_TABLE)
        meaning = names_resolve(s->rw->names, from == block->target ? NULL : block, &from->name);
    if (meaning.kind == NAME_TABLE && meaning.table->ncolumns > 0)
        item.table = meaning.table;
    item.qualifier = star_range_qualifier(s->rw, from);
    if (!item.table)
        return item;
    item.nshown = item.table->ncolumns;
    if (may_hide(s, item.table)) {
        int nshown = item.nshown - (table_column(item.table, item.table->tenant_column) ? 1 : 0);

        item.hides = nshown > 0 && from->ncolumns <= nshown;
        item.nshown = item.hides ? nshown : item.nshown;
    }
    return item;
}

static bool is_hidden(const StarItem *item, const Column *column) {
    return item->hides && strcmp(column->name, item->table->tenant_column) == 0;
}

/* The n-th of the columns that it shows. Aliases count only these: where they would count the hidden one as
 * well, the table is wrapped. */
static const char *shown_name(const StarItem *item, const Column *column, int n) {
    return n < item->from->ncolumns ? item->from->columns[n] : column->name;
}

/* An expression without a name gets one from the server: a function's, or that of what is cast. */
static bool may_be_called(const Expr *expr, const char *column) {
    if (!expr)
        return true;
    if (expr->kind == EXPR_FUNC)
        return same(expr->name.name, column);
    return expr->kind != EXPR_CONST && expr->kind != EXPR_PARAM;
}

static bool query_has(Star *s, const Block *block, const FromItem *from, const char *column, bool *known) {
    int budget = OUTPUTS_BUDGET;
    const Outputs outputs = outputs_of_item(s->rw, block, from, &budget);
    bool found = false;

    *known = outputs.known && star_may(s, (size_t)(OUTPUTS_BUDGET - budget));
    for (int i = 0; i < outputs.n && *known; i++) {
        found |= same(outputs.columns[i].name, column);
        *known = outputs.columns[i].name || !may_be_called(outputs.columns[i].expr, column);
    }
    return found && *known;
}

bool star_item_has(Star *s, const StarRange *range, const StarItem *item, const char *column, bool *known) {
    if (!item->table)
        return query_has(s, range->block, item->from, column, known);
    *known = true;
    for (int i = 0, n = 0; i < item->table->ncolumns; i++) {
        if (!is_hidden(item, &item->table->columns[i]) &&
            same(shown_name(item, &item->table->columns[i], n++), column))
            return true;
    }
    return false;
}

void star_put_item(Star *s, const StarItem *item, StarList list, Buf *sql) {
    const size_t before = buf_len(sql);
    int put = 0;

    for (int i = 0, n = 0; i < item->table->ncolumns && star_may(s, 1); i++) {
        const Column *column = &item->table->columns[i];
        const char *name;

        if (is_hidden(item, column))
            continue;
        name = shown_name(item, column, n++);
        if (list == STAR_COPY && column->generated)
            continue;
        if (put++ > 0)
            buf_append_cstr(sql, ", ");
        if (list == STAR_QUALIFIED) {
            buf_append_cstr(sql, item->qualifier);
            buf_append_cstr(sql, ".");
        }
        quote_identifier(sql, name);
    }
    (void)!star_may(s, buf_len(sql) - before);
}

/* ---- all items of a block ---- */

static int count_leaves(const FromItem *from) {
    if (!from)
        return 0;
    return from->kind == FROM_JOIN ? count_leaves(from->left) + count_leaves(from->right) : 1;
}

static void add_leaves(Star *s, StarRange *range, const FromItem *from) {
    if (!from)
        return;
    if (from->kind == FROM_JOIN) {
        add_leaves(s, range, from->left);
        add_leaves(s, range, from->right);
    } else if (star_may(s, 1)) {
        range->items[range->nitems++] = make_item(s, range->block, from);
    }
}

StarRange star_range(Star *s, const Block *block) {
    StarRange range = {.block = block};
    int n = count_leaves(block->target);

    for (int i = 0; i < block->nfrom; i++)
        n += count_leaves(block->from[i]);
    range.items = ARENA_ARRAY(s->rw->arena, StarItem, n);
    add_leaves(s, &range, block->target);
    for (int i = 0; i < block->nfrom; i++)
        add_leaves(s, &range, block->from[i]);
    return range;
}

bool star_stands_in(const FromItem *from, const FromItem *item) {
    if (!from || from == item)
        return from != NULL;
    return from->kind == FROM_JOIN && (star_stands_in(from->left, item) || star_stands_in(from->right, item));
}

bool star_range_hides(const StarRange *range) {
    bool hides = false;

    for (int i = 0; i < range->nitems && !hides; i++)
        hides = range->items[i].hides && !range->items[i].wrap;
    return hides;
}

bool star_from_hides(const StarRange *range, const FromItem *from) {
    if (!from)
        return false;
    if (from->kind == FROM_JOIN)
        return star_from_hides(range, from->left) || star_from_hides(range, from->right);
    for (int i = 0; i < range->nitems; i++) {
        if (range->items[i].from == from)
            return range->items[i].hides && !range->items[i].wrap;
    }
    return false;
}

/* ---- t.* ---- */

static bool is_meant(Star *s, const StarItem *item, const Name *name) {
    if (!name->schema)
        return same(item->name, name->name);
    return !item->from->alias && item->table && same(item->name, name->name) &&
           names_resolve(s->rw->names, NULL, name).table == item->table;
}

/* In ON CONFLICT DO UPDATE, excluded is a row of the target. */
static bool is_excluded(const Block *block, const Name *name) {
    return block->kind == BLOCK_INSERT && block->target && block->conflict == CONFLICT_UPDATE &&
           !name->schema && same(name->name, "excluded");
}

bool star_find(Star *s, const Block *block, const Name *name, StarItem *found) {
    for (; block; block = block->parent) {
        StarRange range = star_range(s, block);

        for (int i = 0; i < range.nitems; i++) {
            *found = range.items[i];
            if (is_meant(s, found, name))
                return star_may(s, 1);
        }
        if (range.nitems > 0 && is_excluded(block, name)) {
            *found = range.items[0];
            found->qualifier = "excluded";
            return star_may(s, 1);
        }
    }
    return false;
}
