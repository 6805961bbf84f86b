/* FROM line_items l JOIN orders o USING (order_id) WHERE store_id = 5
 *                                                        o.store_id
 *
 * As long as only orders has it, the name alone says which is meant; with a column of that name in line_items
 * the server refuses it. */
#include "rewrite/star_name.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/walk.h"

typedef struct Look {
    Star *s;
    const StarRange *range;
    const char *column;    /* the hidden column's name */
    const char *qualifier; /* of the one item that shows a column of that name */
} Look;

static bool is_merged(const FromItem *from, const char *column) {
    bool found = false;

    if (!from || from->kind != FROM_JOIN)
        return false;
    for (int i = 0; i < from->nusing && !found; i++)
        found = strcmp(from->using_columns[i], column) == 0;
    return found || is_merged(from->left, column) || is_merged(from->right, column);
}

/* The outermost join with an alias that the item stands in: from outside only that alias is seen. */
static const FromItem *aliased_join(const FromItem *from, const FromItem *item) {
    const FromItem *found = NULL;

    if (!star_stands_in(from, item) || from->kind != FROM_JOIN)
        return NULL;
    if (from->alias)
        return from;
    found = aliased_join(from->left, item);
    return found ? found : aliased_join(from->right, item);
}

/* What stands before the dot. NULL: the name cannot be qualified. */
static const char *qualifier_of(Star *s, const StarRange *range, const StarItem *item) {
    const FromItem *join = NULL;

    for (int i = 0; i < range->block->nfrom && !join; i++)
        join = aliased_join(range->block->from[i], item->from);
    if (!join)
        return item->qualifier;
    return join->ncolumns == 0 && !star_from_hides(range, join) ? rewrite_quoted(s->rw, join->alias) : NULL;
}

/* The qualifier of the one item that shows such a column. NULL: none, several, or nobody knows. */
static const char *find_other(Star *s, const StarRange *range, const char *column) {
    const StarItem *other = NULL;
    int n = 0;

    for (int i = 0; i < range->block->nfrom; i++) {
        if (is_merged(range->block->from[i], column))
            return NULL;
    }
    for (int i = 0; i < range->nitems; i++) {
        bool known, has = star_item_has(s, range, &range->items[i], column, &known);

        if (!known)
            return NULL;
        if (has) {
            other = &range->items[i];
            n++;
        }
    }
    return n == 1 ? qualifier_of(s, range, other) : NULL;
}

static bool is_name_at(const Rewrite *rw, uint32_t offset) {
    LexToken token = lex_next(rw->text.ptr, rw->text.len, offset);

    return token.start == offset && (token.kind == LEX_WORD || token.kind == LEX_QUOTED);
}

static void qualify(const Expr *expr, void *arg) {
    Look *look = arg;
    Rewrite *rw = look->s->rw;
    const Span place = {expr->location, expr->location + 1};

    if (expr->kind == EXPR_COLUMN && !expr->name.name && expr->column &&
        strcmp(expr->column, look->column) == 0 && is_name_at(rw, expr->location) &&
        !star_is_moved(look->s, place)) {
        edits_insert(rw->edits, rw->arena, expr->location,
                     str_of(arena_printf(rw->arena, "%s.", look->qualifier)));
        rw->decision->rewritten = true;
    }
    for (int i = 0; i < expr->nargs; i++) {
        if (expr->args[i])
            qualify(expr->args[i], arg);
    }
}

static void qualify_from(const FromItem *from, Look *look) {
    if (!from || from->kind != FROM_JOIN)
        return;
    if (from->quals)
        qualify(from->quals, look);
    qualify_from(from->left, look);
    qualify_from(from->right, look);
}

/* ORDER BY and DISTINCT ON mean a column of the result before one of a table. */
static bool is_result(const Block *block, const Expr *expr, const char *column) {
    bool listed = false, found = false;

    for (int i = 0; i < block->norder_by && !listed; i++)
        listed = block->order_by[i] == expr;
    for (int i = 0; i < block->ndistinct_on && !listed; i++)
        listed = block->distinct_on[i] == expr;
    for (int i = 0; listed && i < block->ntargets && !found; i++)
        found = block->targets[i].name && strcmp(block->targets[i].name, column) == 0;
    return found;
}

static void qualify_own(const Expr *expr, void *arg) {
    Look *look = arg;

    if (expr->kind != EXPR_COLUMN || !is_result(look->range->block, expr, look->column))
        qualify(expr, arg);
}

static void qualify_all(Star *s, const StarRange *range, const char *column) {
    Look look = {s, range, column, find_other(s, range, column)};

    if (!look.qualifier)
        return;
    walk_own_exprs(range->block, qualify_own, &look);
    for (int i = 0; i < range->block->nfrom; i++)
        qualify_from(range->block->from[i], &look);
}

/* ---- whole rows ---- */

static const StarItem *hiding_item(const StarRange *range, const char *name) {
    const StarItem *found = NULL;

    for (int i = 0; name && i < range->nitems && !found; i++) {
        const StarItem *item = &range->items[i];

        if (item->hides && !item->wrap && item->name && strcmp(item->name, name) == 0)
            found = item;
    }
    return found;
}

/* count(t) does not show it; (t).x and (t).* are not the row. */
static void note_rows(const Expr *expr, void *arg) {
    Look *look = arg;
    const StarItem *item = NULL;
    bool counts = expr->kind == EXPR_FUNC && expr->name.name && strcmp(expr->name.name, "count") == 0;

    if (expr->kind == EXPR_COLUMN && !expr->name.name)
        item = hiding_item(look->range, expr->column);
    if (expr->kind == EXPR_OTHER && expr->nargs == 1 && expr->args[0] && expr->args[0]->kind == EXPR_COLUMN)
        return;
    for (int i = 0; i < expr->nargs; i++) {
        const Expr *part = expr->args[i];

        if (part && part->kind == EXPR_STAR && !counts && expr->kind != EXPR_ROW)
            item = hiding_item(look->range, part->name.name);
        if (part && !(counts && part->kind == EXPR_COLUMN))
            note_rows(part, arg);
    }
    if (item)
        star_note(look->s, item, "a whole row shows it");
}

void star_names(Star *s, const StarRange *range) {
    Look look = {.s = s, .range = range};

    for (int i = 0; range->nitems > 1 && i < range->nitems; i++) {
        const StarItem *item = &range->items[i];

        if (item->hides && !item->wrap && star_may(s, (size_t)range->nitems)) {
            qualify_all(s, range, item->table->tenant_column);
            break;
        }
    }
    if (star_range_hides(range))
        walk_own_exprs(range->block, note_rows, &look);
}
