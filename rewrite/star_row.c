/* SELECT l FROM line_items l: a whole row has all columns, whatever * shows. */
#include "rewrite/star_row.h"

#include <string.h>

#include "rewrite/walk.h"

typedef struct Look {
    Star *s;
    const StarRange *range;
} Look;

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

void star_note_rows(Star *s, const StarRange *range) {
    if (star_range_hides(range))
        walk_own_exprs(range->block, note_rows, &(Look){s, range});
}
