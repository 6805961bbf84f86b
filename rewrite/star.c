/* A table with hide_tenant shows the columns that it had before the tenant column was added, in their places:
 *
 *   SELECT * FROM line_items            →  SELECT line_item_id, order_id, quantity FROM line_items
 *   … RETURNING *                       →  … RETURNING line_item_id, order_id, quantity
 *   TABLE line_items                    →  SELECT line_item_id, order_id, quantity FROM line_items
 *   COPY line_items TO STDOUT           →  COPY line_items (line_item_id, order_id, quantity) TO STDOUT
 *
 * In all stages, before the column exists as well: the text does not change when it is added, so that a
 * prepared statement keeps its result. What is written out nowhere, a whole row (SELECT l FROM line_items l),
 * is left and noted. */
#include "rewrite/star.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/star_join.h"
#include "rewrite/star_range.h"
#include "rewrite/star_row.h"
#include "rewrite/star_wrap.h"
#include "rewrite/survey.h"
#include "rewrite/walk.h"

/* ---- where it stands ---- */

static bool is_name(LexToken token) { return token.kind == LEX_WORD || token.kind == LEX_QUOTED; }

/* From the first name of t.* (or s.t.*), or from *, to behind the star; empty if that does not stand there.
 */
static Span star_span(const Rewrite *rw, uint32_t start, bool qualified) {
    const Str text = rw->text;
    LexToken token = lex_next(text.ptr, text.len, start);
    const uint32_t first = (uint32_t)token.start;

    if (qualified) {
        if (!is_name(token))
            return (Span){0, 0};
        /* A name in Unicode escapes may have UESCAPE and a string behind it. */
        while (is_name(token) || token.kind == LEX_STRING || lex_is_char(text.ptr, token, '.'))
            token = lex_next(text.ptr, text.len, token.end);
    }
    if (!lex_is_char(text.ptr, token, '*') || token.kind != LEX_OPERATOR)
        return (Span){0, 0};
    return (Span){first, (uint32_t)token.end};
}

/* (t).*, with any number of parentheses. */
static Span row_span(const Rewrite *rw, uint32_t start) {
    const Str text = rw->text;
    LexToken token = lex_next(text.ptr, text.len, start);
    const uint32_t first = (uint32_t)token.start;
    int depth = 0;

    for (; lex_is_char(text.ptr, token, '('); depth++)
        token = lex_next(text.ptr, text.len, token.end);
    if (depth == 0 || !is_name(token))
        return (Span){0, 0};
    token = lex_next(text.ptr, text.len, token.end);
    for (; depth > 0 && lex_is_char(text.ptr, token, ')'); depth--)
        token = lex_next(text.ptr, text.len, token.end);
    if (depth > 0 || !lex_is_char(text.ptr, token, '.'))
        return (Span){0, 0};
    token = lex_next(text.ptr, text.len, token.end);
    return lex_is_char(text.ptr, token, '*') ? (Span){first, (uint32_t)token.end} : (Span){0, 0};
}

/* ---- editing ---- */

static bool is_apart(char c) { return lex_is(&c, 0, LEX_IS_SPACE) || strchr(",();[]/-", c) != NULL; }

/* `sql` is consumed. Blanks as far as the words around it need them: SELECT*FROM is SQL. */
static void replace(Star *s, Span span, Buf *sql) {
    Rewrite *rw = s->rw;
    const Str text = rw->text;
    const bool before = span.start > 0 && !is_apart(text.ptr[span.start - 1]);
    const bool behind = span.end < text.len && !is_apart(text.ptr[span.end]);
    const char *list = arena_printf(rw->arena, "%s%.*s%s", before ? " " : "", (int)buf_len(sql),
                                    (const char *)buf_ptr(sql), behind ? " " : "");

    edits_insert(rw->edits, rw->arena, span.start, str_of(list));
    edits_remove(rw->edits, rw->arena, span);
    rw->decision->rewritten = true;
}

static const StarItem *first_hiding(const StarRange *range) {
    const StarItem *found = NULL;

    for (int i = 0; i < range->nitems && !found; i++)
        found = range->items[i].hides && !range->items[i].wrap ? &range->items[i] : NULL;
    return found;
}

/* ---- * ---- */

static bool is_bare_star(const Expr *expr) { return expr && expr->kind == EXPR_STAR && !expr->name.name; }

static bool has_bare_star(const Target *targets, int n) {
    bool found = false;

    for (int i = 0; i < n && !found; i++)
        found = is_bare_star(targets[i].expr);
    return found;
}

/* Without grouping, what EXISTS (SELECT * …) selects does not matter. */
static bool shows_all(const Star *s, const Block *block) {
    if (block == s->exists && block->kind == BLOCK_SELECT && block->ngroup_by == 0)
        return false;
    return (block->kind == BLOCK_SELECT && has_bare_star(block->targets, block->ntargets)) ||
           has_bare_star(block->returning, block->nreturning);
}

static void replace_bare_stars(Star *s, const StarRange *range, const Target *targets, int n, Buf *sql) {
    for (int i = 0; i < n; i++) {
        Span span;

        if (!is_bare_star(targets[i].expr))
            continue;
        span = star_span(s->rw, targets[i].expr->location, false);
        if (span.end > 0 && !star_is_moved(s, span) && star_may(s, buf_len(sql)))
            replace(s, span, sql);
        else
            star_note(s, first_hiding(range), "where * stands in the text is not known");
    }
}

/* TABLE t: the word is replaced. */
static void replace_table_command(Star *s, const StarRange *range, const Buf *list) {
    const Str text = s->rw->text;
    const uint32_t verb = range->block->verb;
    LexToken word = lex_next(text.ptr, text.len, verb);
    const Span span = {verb, (uint32_t)word.end};
    Buf sql = {0};

    if (!lex_is_word(text.ptr, word, "table") || star_is_moved(s, span)) {
        star_note(s, first_hiding(range), "where TABLE stands in the text is not known");
        return;
    }
    buf_printf(&sql, "SELECT %.*s FROM", (int)buf_len(list), (const char *)buf_ptr(list));
    replace(s, span, &sql);
    buf_free(&sql);
}

/* Where the list is not known, the tables are wrapped and the star stays. */
static void hide_from_all(Star *s, StarRange *range) {
    const Block *block = range->block;
    Buf sql = {0};

    if (star_put_all(s, range, &sql)) {
        if (block->is_table_command)
            replace_table_command(s, range, &sql);
        else
            replace_bare_stars(s, range, block->targets, block->kind == BLOCK_SELECT ? block->ntargets : 0,
                               &sql);
        replace_bare_stars(s, range, block->returning, block->nreturning, &sql);
    } else if (!star_mark_all(s, range)) {
        star_note(s, first_hiding(range), "the other columns of the join are not known");
    }
    buf_free(&sql);
}

/* ---- t.* ---- */

static const FromItem *find_join(const FromItem *from, const char *alias) {
    const FromItem *found = NULL;

    if (!from || from->kind != FROM_JOIN)
        return NULL;
    if (from->alias && strcmp(from->alias, alias) == 0)
        return from;
    found = find_join(from->left, alias);
    return found ? found : find_join(from->right, alias);
}

/* j.* of a join: as far as it is one of this block's own. */
static void hide_from_join(Star *s, StarRange *range, const Name *name, Span span) {
    const FromItem *join = NULL;
    Buf sql = {0};

    for (int i = 0; i < range->block->nfrom && !join && !name->schema; i++)
        join = find_join(range->block->from[i], name->name);
    if (!join || !star_from_hides(range, join))
        return;
    if (star_put_join(s, range, join, &sql) && span.end > 0 && !star_is_moved(s, span))
        replace(s, span, &sql);
    else if (!star_mark_all(s, range))
        star_note(s, first_hiding(range), "the columns of the join cannot be told apart");
    buf_free(&sql);
}

/* The item that the name means, if it hides and is not wrapped. */
static bool find_hiding(Star *s, const StarRange *range, const Name *name, StarItem *found) {
    if (!star_find(s, range->block, name, found) || !found->hides)
        return false;
    for (int i = 0; i < range->nitems; i++) {
        if (range->items[i].from == found->from && range->items[i].wrap)
            return false;
    }
    return true;
}

static void hide_from_one(Star *s, StarRange *range, const Name *name, Span span) {
    StarItem item;
    Buf sql = {0};

    if (!find_hiding(s, range, name, &item)) {
        hide_from_join(s, range, name, span);
        return;
    }
    star_put_item(s, &item, STAR_QUALIFIED, &sql);
    if (span.end > 0 && !star_is_moved(s, span) && star_may(s, 1))
        replace(s, span, &sql);
    else
        star_note(s, &item, "where * stands in the text is not known");
    buf_free(&sql);
}

/* (t).*, t not being a column. */
static bool is_row_star(const Expr *expr) {
    const Expr *row = expr->nargs == 1 ? expr->args[0] : NULL;

    return expr->kind == EXPR_OTHER && !expr->column && row && row->kind == EXPR_COLUMN && !row->name.name;
}

static bool is_a_column(Star *s, const StarRange *range, const char *name) {
    bool found = false, known;

    for (int i = 0; i < range->nitems && !found; i++)
        found = star_item_has(s, range, &range->items[i], name, &known);
    return found;
}

typedef struct Visit {
    Star *s;
    StarRange *range;
} Visit;

/* A list of values: a SELECT list, RETURNING, ROW (…), VALUES (…). There t.* is its columns. */
static void visit_listed(Visit *v, const Expr *expr, uint32_t location) {
    if (expr->kind == EXPR_STAR && expr->name.name) {
        hide_from_one(v->s, v->range, &expr->name, star_span(v->s->rw, expr->location, true));
    } else if (is_row_star(expr) && !is_a_column(v->s, v->range, expr->args[0]->column)) {
        const Span span = row_span(v->s->rw, location);

        if (span.end > 0)
            hide_from_one(v->s, v->range, &(Name){.name = expr->args[0]->column}, span);
    }
}

static void visit_targets(Visit *v, const Target *targets, int n) {
    for (int i = 0; i < n; i++) {
        if (targets[i].expr)
            visit_listed(v, targets[i].expr, targets[i].location);
    }
}

static void visit_rows(Visit *v, const Block *block) {
    for (int i = 0; i < block->nrows; i++) {
        for (int k = 0; k < block->rows[i].ncells; k++) {
            if (block->rows[i].cells[k].expr && block->rows[i].cells[k].expr->kind == EXPR_STAR)
                visit_listed(v, block->rows[i].cells[k].expr, 0);
        }
    }
}

/* ---- all of a block ---- */

/* ROW (t.*) wherever it stands. */
static void visit_expr(const Expr *expr, void *arg) {
    Visit *v = arg;

    for (int i = 0; i < expr->nargs; i++) {
        if (!expr->args[i])
            continue;
        if (expr->kind == EXPR_ROW && expr->args[i]->kind == EXPR_STAR)
            visit_listed(v, expr->args[i], 0);
        visit_expr(expr->args[i], arg);
    }
}

static bool on_block(const Block *block, void *arg) {
    Star *s = arg;
    StarRange range = star_range(s, block);
    Visit v = {s, &range};

    if (!star_may(s, 1))
        return false;
    star_mark_wraps(s, &range);
    if (shows_all(s, block) && star_range_hides(&range))
        hide_from_all(s, &range);
    if (block != s->exists)
        visit_targets(&v, block->targets, block->kind == BLOCK_SELECT ? block->ntargets : 0);
    visit_targets(&v, block->returning, block->nreturning);
    visit_rows(&v, block);
    walk_own_exprs(block, visit_expr, &v);
    star_wrap(s, &range);
    star_note_rows(s, &range);
    return true;
}

static bool on_expr(const Expr *expr, void *arg) {
    Star *s = arg;

    if (expr->kind == EXPR_SUBLINK && expr->sublink == SUBLINK_EXISTS)
        s->exists = expr->block;
    return true;
}

bool star_hides(Rewrite *rw, const Block *block) {
    Star s = {.rw = rw};
    const StarRange range = star_range(&s, block);

    return star_range_hides(&range);
}

/* ---- COPY t TO ---- */

static void hide_from_copy(Star *s, const CopyFacts *copy) {
    Rewrite *rw = s->rw;
    const StarRange range = star_range(s, &(Block){.target = copy->table});
    const Span place = {copy->table->span.end, copy->table->span.end};
    Buf sql = {0};

    if (!star_range_hides(&range))
        return;
    star_put_item(s, &range.items[0], STAR_COPY, &sql);
    if (place.end > 0 && buf_len(&sql) > 0) {
        edits_insert(rw->edits, rw->arena, place.end,
                     str_of(arena_printf(rw->arena, " (%.*s)", (int)buf_len(&sql), (char *)buf_ptr(&sql))));
        rw->decision->rewritten = true;
    } else {
        star_note(s, &range.items[0], "there is no list of columns that says the rest");
    }
    buf_free(&sql);
}

void star_rewrite(Rewrite *rw, const Statement *stmt) {
    const EditList *edits = rw->edits;
    Star s = {
        .rw = rw, .first_edit = edits->nedits, .last_edit = edits->nedits, .fixed = rw->decision->rewritten};
    bool hides = false;

    for (int i = 0; i < rw->survey->named.n && !hides; i++)
        hides = rw->survey->named.tables[i]->hide_tenant;
    if (!hides)
        return;
    while (s.first_edit > 0 && edits->edits[s.first_edit - 1].offset >= stmt->span.start)
        s.first_edit--;
    walk_statement(stmt, &(Walk){.block = on_block, .expr = on_expr, .arg = &s});
    if (stmt->copy.table && !stmt->copy.is_from && !stmt->copy.has_column_list)
        hide_from_copy(&s, &stmt->copy);
}
