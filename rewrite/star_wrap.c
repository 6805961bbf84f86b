/* FROM line_items l  →  FROM (SELECT line_item_id, order_id FROM line_items) l
 *
 * For what a list in place of * cannot do: joins that find their columns by name, and lists that count
 * columns. PostgreSQL plans both forms alike; but the sub-select has no key that GROUP BY could rely on, no
 * ctid, and not the hidden column. */
#include "rewrite/star_wrap.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/walk.h"

typedef struct Mentions {
    Star *s;
    const StarRange *range;
    const StarItem *item;
    const Block *block; /* that is looked at: of the range, or inside */
    bool found;
} Mentions;

static bool is_system_column(const char *name) {
    static const char *const names[] = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(names) && !found; i++)
        found = strcmp(names[i], name) == 0;
    return found;
}

/* Whether one of the items has a column of this name, hidden or not; *known: whether that can be told. */
static bool item_has(Star *s, const StarRange *range, const StarItem *item, const char *column, bool *known) {
    return star_item_has(s, range, item, column, known) ||
           (item->hides && strcmp(item->table->tenant_column, column) == 0);
}

/* Whether the column's name alone means another item than the one that is to be wrapped: one of a block
 * further in, or, in its own block, one that may have had it all the time. */
static bool is_elsewhere(const Mentions *m, const char *column) {
    bool found = false, known;

    for (const Block *block = m->block; block && block != m->range->block && !found; block = block->parent) {
        const StarRange range = star_range(m->s, block);

        for (int i = 0; i < range.nitems && !found; i++)
            found = item_has(m->s, &range, &range.items[i], column, &known);
    }
    for (int i = 0; i < m->range->nitems && !found; i++) {
        const StarItem *other = &m->range->items[i];

        found = other != m->item && (star_item_has(m->s, m->range, other, column, &known) || !known);
    }
    return found;
}

/* Whether a name, as it is written, needs the table itself. */
static bool needs_table(const Mentions *m, const Expr *expr) {
    const StarItem *item = m->item;
    const bool named = expr->name.name && strcmp(expr->name.name, item->name) == 0;
    const char *column = expr->column;

    if (named && expr->name.schema)
        return true;
    if (!column || (expr->name.name && !named))
        return false;
    if (strcmp(column, item->table->tenant_column) == 0)
        return named || !is_elsewhere(m, column);
    return is_system_column(column) || (!named && strcmp(column, item->name) == 0);
}

static void look_at(const Expr *expr, void *arg) {
    Mentions *m = arg;

    if (!star_may(m->s, 1))
        return;
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_STAR)
        m->found |= needs_table(m, expr);
    else if (expr->kind == EXPR_OTHER && expr->column)
        m->found |= strcmp(expr->column, m->item->table->tenant_column) == 0;
    for (int i = 0; i < expr->nargs && !m->found; i++) {
        if (expr->args[i])
            look_at(expr->args[i], arg);
    }
}

/* Whether a side that the item stands in has the column from nothing else. */
static bool needs_on_side(const Mentions *m, const FromItem *side) {
    bool found = false, known;

    if (!star_stands_in(side, m->item->from))
        return false;
    for (int i = 0; i < m->range->nitems && !found; i++) {
        const StarItem *other = &m->range->items[i];

        found = other != m->item && star_stands_in(side, other->from) &&
                star_item_has(m->s, m->range, other, m->item->table->tenant_column, &known);
    }
    return !found;
}

static void look_at_from(Mentions *m, const FromItem *from) {
    if (!from || m->found)
        return;
    for (int i = 0; i < from->nusing; i++) {
        if (strcmp(from->using_columns[i], m->item->table->tenant_column) == 0)
            m->found |= needs_on_side(m, from->left) || needs_on_side(m, from->right);
    }
    for (int i = 0; i < from->nexprs; i++) {
        if (from->exprs[i])
            look_at(from->exprs[i], m);
    }
    if (from->quals)
        look_at(from->quals, m);
    look_at_from(m, from->left);
    look_at_from(m, from->right);
}

static bool on_block(const Block *block, void *arg) {
    Mentions *m = arg;

    m->block = block;
    walk_own_exprs(block, look_at, m);
    for (int i = 0; i < block->nfrom; i++)
        look_at_from(m, block->from[i]);
    return !m->found && star_may(m->s, 1);
}

/* GROUP BY its key lets all its columns be shown. */
static bool groups_by_key(const StarRange *range, const StarItem *item) {
    const Table *table = item->table;
    const Block *block = range->block;
    bool found = block->ngroup_by > 0 && block->group_distinct_or_sets;

    for (int i = 0; i < block->ngroup_by && !found; i++) {
        const Expr *expr = block->group_by[i];

        for (int k = 0; expr && expr->column && k < table->nkeys && table->keys[k].primary; k++) {
            for (int c = 0; c < table->keys[k].ncolumns && !found; c++)
                found =
                    table->keys[k].columns[c] && strcmp(table->keys[k].columns[c]->name, expr->column) == 0;
        }
    }
    return found;
}

/* FROM t * is FROM t. */
static bool star_follows(const Star *s, const FromItem *from) {
    const Str text = s->rw->text;
    LexToken next = lex_next(text.ptr, text.len, from->span.end);

    return next.kind == LEX_OPERATOR && text.ptr[next.start] == '*';
}

bool star_may_wrap(Star *s, const StarRange *range, const StarItem *item) {
    const FromItem *from = item->from;
    Mentions m = {.s = s, .range = range, .item = item};

    if (s->fixed || from == range->block->target || from->only || from->nexprs > 0 || from->span.end == 0 ||
        star_follows(s, from) || groups_by_key(range, item))
        return false;
    walk_block(range->block, &(Walk){.block = on_block, .arg = &m});
    return !m.found && star_may(s, 1);
}

/* ---- marking ---- */

static void mark(Star *s, StarItem *item) {
    item->wrap = true;
    item->qualifier = rewrite_quoted(s->rw, item->name);
}

static void mark_or_note(Star *s, const StarRange *range, StarItem *item, const char *why) {
    if (star_may_wrap(s, range, item))
        mark(s, item);
    else
        star_note(s, item, why);
}

/* Whether that side of a join has a column of this name, hidden or not, or may have. */
static bool side_has(Star *s, const StarRange *range, const FromItem *side, const char *column) {
    bool found = false;

    for (int i = 0; i < range->nitems && !found; i++) {
        const StarItem *item = &range->items[i];
        bool known;

        if (star_stands_in(side, item->from))
            found = item_has(s, range, item, column, &known) || !known;
    }
    return found;
}

static void mark_side(Star *s, StarRange *range, const FromItem *side, const FromItem *other) {
    for (int i = 0; i < range->nitems && star_may(s, (size_t)range->nitems); i++) {
        StarItem *item = &range->items[i];

        if (item->hides && !item->wrap && star_stands_in(side, item->from) &&
            side_has(s, range, other, item->table->tenant_column) && star_may_wrap(s, range, item))
            mark(s, item);
    }
}

static void mark_joins(Star *s, StarRange *range, const FromItem *from) {
    if (!from || from->kind != FROM_JOIN)
        return;
    if (from->natural) {
        mark_side(s, range, from->left, from->right);
        mark_side(s, range, from->right, from->left);
    }
    mark_joins(s, range, from->left);
    mark_joins(s, range, from->right);
}

static int tenant_index(const Table *table) {
    int found = -1;

    for (int i = 0; i < table->ncolumns && found < 0; i++)
        found = strcmp(table->columns[i].name, table->tenant_column) == 0 ? i : -1;
    return found;
}

void star_mark_wraps(Star *s, StarRange *range) {
    for (int i = 0; i < range->nitems; i++) {
        StarItem *item = &range->items[i];
        int tenant = item->hides ? tenant_index(item->table) : -1;

        if (tenant >= 0 && item->from->ncolumns > tenant)
            mark_or_note(s, range, item, "the column aliases count it");
    }
    for (int i = 0; i < range->block->nfrom; i++)
        mark_joins(s, range, range->block->from[i]);
}

bool star_mark_all(Star *s, StarRange *range) {
    bool may = true;

    for (int i = 0; i < range->nitems && may; i++)
        may = !range->items[i].hides || range->items[i].wrap || star_may_wrap(s, range, &range->items[i]);
    for (int i = 0; i < range->nitems && may; i++) {
        if (range->items[i].hides)
            mark(s, &range->items[i]);
    }
    return may;
}

/* ---- editing ---- */

static void wrap_one(Star *s, const StarItem *item) {
    Rewrite *rw = s->rw;
    const StarItem bare = {.from = &(FromItem){0}, .table = item->table, .hides = true};
    Buf sql = {0};

    buf_append_cstr(&sql, "(SELECT ");
    star_put_item(s, &bare, STAR_PLAIN, &sql);
    buf_append_cstr(&sql, " FROM ");
    edits_insert(rw->edits, rw->arena, item->from->span.start,
                 arena_str(rw->arena, (Str){(char *)buf_ptr(&sql), buf_len(&sql)}));
    buf_free(&sql);
    edits_insert(rw->edits, rw->arena, item->from->span.end,
                 str_of(item->from->alias ? ")" : arena_printf(rw->arena, ") %s", item->qualifier)));
    rw->decision->rewritten = true;
}

bool star_wrap_one(Star *s, const StarRange *range, StarItem *item) {
    if (!item->name || !star_may_wrap(s, range, item))
        return false;
    mark(s, item);
    wrap_one(s, item);
    return true;
}

void star_wrap(Star *s, const StarRange *range) {
    for (int i = 0; i < range->nitems; i++) {
        if (range->items[i].wrap)
            wrap_one(s, &range->items[i]);
    }
}
