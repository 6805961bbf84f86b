/* The columns of joins, in PostgreSQL's order:
 *
 *   a JOIN b ON …         a's, b's
 *   a JOIN b USING (x)    x, the rest of a's, the rest of b's
 *   a NATURAL JOIN b      the names that both have, in a's order; the rest
 *
 * A merged column is read from the side whose rows are all there; where both may be missing, from either. */
#include "rewrite/star_join.h"

#include <string.h>

/* One column that * shows. */
typedef struct Shown {
    const char *name;
    const char *type;
    const char *sql;
    bool renamed; /* the server would give `sql` another name */
} Shown;

typedef struct Columns {
    Shown *shown;
    int n;
} Columns;

static const StarItem *item_of(const StarRange *range, const FromItem *from) {
    const StarItem *found = NULL;

    for (int i = 0; i < range->nitems && !found; i++)
        found = range->items[i].from == from ? &range->items[i] : NULL;
    return found;
}

static bool item_columns(Star *s, const StarItem *item, Columns *out) {
    if (!item || !item->table || !item->qualifier || !star_may(s, (size_t)item->table->ncolumns))
        return false;
    out->shown = ARENA_ARRAY(s->rw->arena, Shown, item->nshown);
    for (int i = 0; i < item->table->ncolumns; i++) {
        const Column *column = &item->table->columns[i];
        const FromItem *from = item->from;
        const char *name = out->n < from->ncolumns ? from->columns[out->n] : column->name;

        if (item->hides && strcmp(column->name, item->table->tenant_column) == 0)
            continue;
        out->shown[out->n++] =
            (Shown){name, column->type,
                    arena_printf(s->rw->arena, "%s.%s", item->qualifier, rewrite_quoted(s->rw, name)), false};
    }
    return true;
}

/* -1: none, or several. */
static int find_shown(Star *s, const Columns *columns, const char *name) {
    int found = -1, n = 0;

    if (!star_may(s, (size_t)columns->n))
        return -1;
    for (int i = 0; i < columns->n; i++) {
        if (columns->shown[i].name && strcmp(columns->shown[i].name, name) == 0) {
            found = i;
            n++;
        }
    }
    return n == 1 ? found : -1;
}

static bool merge_one(Star *s, const FromItem *join, Columns *left, Columns *right, const char *name,
                      Columns *out) {
    const int l = find_shown(s, left, name), r = find_shown(s, right, name);
    Shown *shown = &out->shown[out->n];

    /* Of two types the server makes a third. */
    if (l < 0 || r < 0 || strcmp(left->shown[l].type, right->shown[r].type) != 0)
        return false;
    *shown = join->join == JOIN_TYPE_RIGHT ? right->shown[r] : left->shown[l];
    if (join->join == JOIN_TYPE_FULL) {
        shown->sql = arena_printf(s->rw->arena, "COALESCE(%s, %s)", left->shown[l].sql, right->shown[r].sql);
        shown->renamed = true;
        if (!star_may(s, strlen(shown->sql)))
            return false;
    }
    out->n++;
    left->shown[l].name = right->shown[r].name = NULL;
    return true;
}

static void append_rest(const Columns *from, Columns *out) {
    for (int i = 0; i < from->n; i++) {
        if (from->shown[i].name)
            out->shown[out->n++] = from->shown[i];
    }
}

static bool join_columns(Star *s, const StarRange *range, const FromItem *from, Columns *out);
static bool named_columns(Star *s, const StarRange *range, const FromItem *join, Columns *out);

static bool merge_sides(Star *s, const FromItem *join, Columns *left, Columns *right, Columns *out) {
    bool merged = true;

    for (int i = 0; i < join->nusing && merged; i++)
        merged = merge_one(s, join, left, right, join->using_columns[i], out);
    for (int i = 0; join->natural && i < left->n && merged; i++) {
        const char *name = left->shown[i].name;

        if (find_shown(s, right, name) >= 0)
            merged = merge_one(s, join, left, right, name, out);
    }
    return merged;
}

static bool from_columns(Star *s, const StarRange *range, const FromItem *from, Columns *out) {
    if (from->kind != FROM_JOIN)
        return item_columns(s, item_of(range, from), out);
    return from->alias ? named_columns(s, range, from, out) : join_columns(s, range, from, out);
}

static bool join_columns(Star *s, const StarRange *range, const FromItem *join, Columns *out) {
    Columns left = {0}, right = {0};

    if (!from_columns(s, range, join->left, &left) || !from_columns(s, range, join->right, &right) ||
        !star_may(s, (size_t)(left.n + right.n)))
        return false;
    out->shown = ARENA_ARRAY(s->rw->arena, Shown, left.n + right.n);
    if (!merge_sides(s, join, &left, &right, out))
        return false;
    append_rest(&left, out);
    append_rest(&right, out);
    return true;
}

/* The hidden column has its name still: another of that name cannot be told from it. */
static bool clashes(Star *s, const StarRange *range, const FromItem *join, const Columns *columns) {
    bool found = false;

    for (int i = 0; i < range->nitems && !found; i++) {
        const StarItem *item = &range->items[i];

        if (item->hides && !item->wrap && star_stands_in(join, item->from))
            found = find_shown(s, columns, item->table->tenant_column) >= 0;
    }
    return found;
}

/* Of a join with an alias: by that. */
static bool named_columns(Star *s, const StarRange *range, const FromItem *join, Columns *out) {
    const char *alias = rewrite_quoted(s->rw, join->alias);

    /* Its aliases count all columns. */
    if (join->ncolumns > 0 || !join_columns(s, range, join, out) || clashes(s, range, join, out))
        return false;
    for (int i = 0; i < out->n; i++) {
        Shown *shown = &out->shown[i];

        if (find_shown(s, out, shown->name) < 0)
            return false;
        shown->sql = arena_printf(s->rw->arena, "%s.%s", alias, rewrite_quoted(s->rw, shown->name));
        shown->renamed = false;
    }
    return true;
}

/* ---- as SQL ---- */

static void put_comma(Buf *sql) {
    if (buf_len(sql) > 0)
        buf_append_cstr(sql, ", ");
}

static bool put_columns(Star *s, const Columns *columns, Buf *sql) {
    for (int i = 0; i < columns->n; i++) {
        put_comma(sql);
        buf_append_cstr(sql, columns->shown[i].sql);
        if (columns->shown[i].renamed) {
            buf_append_cstr(sql, " AS ");
            quote_identifier(sql, columns->shown[i].name);
        }
        if (!star_may(s, strlen(columns->shown[i].sql)))
            return false;
    }
    return true;
}

static bool put_whole(const char *qualifier, Buf *sql) {
    if (!qualifier)
        return false;
    put_comma(sql);
    buf_append_cstr(sql, qualifier);
    buf_append_cstr(sql, ".*");
    return true;
}

bool star_put_join(Star *s, const StarRange *range, const FromItem *join, Buf *sql) {
    Columns columns = {0};

    return named_columns(s, range, join, &columns) && put_columns(s, &columns, sql);
}

static bool put_from(Star *s, const StarRange *range, const FromItem *from, bool qualified, Buf *sql) {
    const StarItem *item = from->kind == FROM_JOIN ? NULL : item_of(range, from);
    Columns columns = {0};

    if (item && item->hides && !item->wrap) {
        put_comma(sql);
        star_put_item(s, item, qualified ? STAR_QUALIFIED : STAR_PLAIN, sql);
        return star_may(s, 0);
    }
    if (item)
        return put_whole(item->qualifier, sql);
    if (from->kind != FROM_JOIN)
        return false;
    if (from->alias)
        return star_from_hides(range, from) ? star_put_join(s, range, from, sql)
                                            : put_whole(rewrite_quoted(s->rw, from->alias), sql);
    if (!from->natural && from->nusing == 0)
        return put_from(s, range, from->left, true, sql) && put_from(s, range, from->right, true, sql);
    return join_columns(s, range, from, &columns) && put_columns(s, &columns, sql);
}

bool star_put_all(Star *s, const StarRange *range, Buf *sql) {
    const Block *block = range->block;
    const bool qualified = range->nitems > 1;

    if (block->target && !put_from(s, range, block->target, qualified, sql))
        return false;
    for (int i = 0; i < block->nfrom; i++) {
        if (!put_from(s, range, block->from[i], qualified, sql))
            return false;
    }
    return true;
}
