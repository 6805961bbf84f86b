/* FROM orders NATURAL JOIN line_items  →  FROM orders JOIN line_items USING (order_id)
 *
 * for the new column would be compared as well, and it is NULL until it is filled. And
 *
 *   FROM (line_items l JOIN orders USING (order_id)) JOIN parcels USING (store_id)
 *
 * is refused when the left side has the name twice: there, line_items becomes a sub-select without it. */
#include "rewrite/ambiguity_join.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/ambiguity_edit.h"
#include "rewrite/star_wrap.h"
#include "rewrite/walk.h"

/* ---- where it stands ---- */

static LexToken next(const Ambiguity *a, size_t offset) {
    return lex_next(a->rw->text.ptr, a->rw->text.len, offset);
}

static bool is_word(const Ambiguity *a, LexToken token, const char *word) {
    return lex_is_word(a->rw->text.ptr, token, word);
}

static bool is_one_of(const Ambiguity *a, LexToken token, const char *const *words) {
    bool found = false;

    for (; *words && !found; words++)
        found = is_word(a, token, *words);
    return found;
}

static bool ends(LexToken token) { return token.kind == LEX_END || token.kind == LEX_UNTERMINATED; }

static int depth_change(const Ambiguity *a, LexToken token) {
    const char *s = a->rw->text.ptr;
    const bool opens = lex_is_char(s, token, '(') || lex_is_char(s, token, '[');

    return opens ? 1 : lex_is_char(s, token, ')') || lex_is_char(s, token, ']') ? -1 : 0;
}

/* A place in the last item of `from`; 0 if there is none known. */
static uint32_t place_in_last(const FromItem *from) {
    while (from->kind == FROM_JOIN)
        from = from->right;
    if (from->kind == FROM_TABLE)
        return from->span.end;
    if (from->block)
        return from->block->span.end;
    return from->nexprs > 0 && from->exprs[0] ? from->exprs[0]->location : 0;
}

/* Behind NATURAL at `token`: the word JOIN. Its end; 0 if it is not there. */
static size_t join_behind(const Ambiguity *a, LexToken token) {
    static const char *const kinds[] = {"inner", "left", "right", "full", "outer", NULL};

    token = next(a, token.end);
    while (is_one_of(a, token, kinds))
        token = next(a, token.end);
    return is_word(a, token, "join") ? token.end : 0;
}

/* The word NATURAL of the join, and where its right side begins. Behind its left side only a condition or
 * aliases may stand before it, and closing parentheses. False: not found. */
static bool find_natural(Ambiguity *a, const FromItem *join, Span *word, size_t *right) {
    const uint32_t start = place_in_last(join->left);
    LexToken token = {.end = start}, last = token;
    int depth = 0;

    if (start == 0)
        return false;
    for (token = next(a, start); !ends(token) && star_may(&a->star, 1); token = next(a, token.end)) {
        const bool named = a->rw->text.ptr[last.start] == ':' || a->rw->text.ptr[last.start] == '.' ||
                           is_word(a, last, "as");

        *right = depth <= 0 && !named && is_word(a, token, "natural") ? join_behind(a, token) : 0;
        *word = (Span){(uint32_t)token.start, (uint32_t)token.end};
        if (*right)
            return true;
        depth += depth_change(a, token);
        last = token;
    }
    return false;
}

/* The end of one item of FROM with its aliases: no word that may follow it can be an alias. */
static uint32_t item_end(Ambiguity *a, size_t start) {
    static const char *const followers[] = {"on",     "using", "join",      "inner",     "left",  "right",
                                            "full",   "cross", "natural",   "where",     "group", "having",
                                            "window", "union", "intersect", "except",    "order", "limit",
                                            "offset", "fetch", "for",       "returning", "when",  NULL};
    size_t end = start;
    int depth = 0;

    for (LexToken token = next(a, start); !ends(token) && star_may(&a->star, 1); token = next(a, token.end)) {
        const char *s = a->rw->text.ptr;

        if (depth == 0 && (lex_is_char(s, token, ',') || lex_is_char(s, token, ';') ||
                           lex_is_char(s, token, ')') || is_one_of(a, token, followers)))
            break;
        depth += depth_change(a, token);
        end = token.end;
    }
    return (uint32_t)end;
}

/* ---- notes ---- */

static void note(Ambiguity *a, const char *why) {
    rewrite_note(a->rw, arena_printf(a->rw->arena, "a join takes the new column %s in: %s",
                                     rewrite_quoted(a->rw, a->late[0]), why));
}

/* ---- USING ---- */

static bool is_wrapped(const Ambiguity *a, const FromItem *from) {
    const EditList *edits = a->rw->edits;
    bool found = false;

    for (int i = a->star.first_edit; i < edits->nedits && !found; i++)
        found = edits->edits[i].offset == from->span.start;
    return found;
}

/* What * was replaced by may name its columns with the schema, which a sub-select has not. */
static bool may_be_listed(const StarItem *item) {
    return item->hides && !item->from->alias && item->from->name.schema;
}

/* What gives it by *, in a sub-select. */
static bool wrap_inside(Ambiguity *a, const Block *query, const char *column) {
    const AmbiguityColumns before = ambiguity_outputs(a, query, BEFORE_COLUMN),
                           after = ambiguity_outputs(a, query, AFTER_COLUMN);
    bool done = true;

    if (ambiguity_count(a, &after, column) == ambiguity_count(a, &before, column))
        return true;
    for (int i = 0; i < query->nfrom; i++)
        done = ambiguity_wrap(a, query, query->from[i], column) && done;
    return done && query->kind == BLOCK_SELECT;
}

bool ambiguity_wrap(Ambiguity *a, const Block *block, const FromItem *side, const char *column) {
    StarRange range = star_range(&a->star, block);
    bool done = true;

    for (int i = 0; i < range.nitems && star_may(&a->star, 1); i++) {
        StarItem *item = &range.items[i];
        const FromItem *from = item->from;

        if (!star_stands_in(side, from))
            continue;
        if (from->block)
            done = wrap_inside(a, from->block, column) && done;
        else if (item->table && !may_be_listed(item) && ambiguity_is_late(a->rw, item->table) &&
                 strcmp(item->table->tenant_column, column) == 0 && !is_wrapped(a, from))
            done = star_wrap_one(&a->star, &range, item) && done;
    }
    return done;
}

static void mend_side(Ambiguity *a, const Block *block, const FromItem *side, const char *column) {
    const AmbiguityColumns before = ambiguity_columns(a, block, side, BEFORE_COLUMN),
                           after = ambiguity_columns(a, block, side, AFTER_COLUMN);

    if (ambiguity_count(a, &before, column) == 1 && ambiguity_count(a, &after, column) > 1 &&
        !ambiguity_wrap(a, block, side, column))
        note(a, "it is named elsewhere");
}

/* ---- joins with an alias ---- */

typedef struct Mention {
    const char *alias, *column;
    bool found;
} Mention;

static bool search_expr(const Expr *expr, void *arg) {
    Mention *mention = arg;
    const bool named =
        expr->kind == EXPR_COLUMN && expr->column && strcmp(expr->column, mention->column) == 0;

    mention->found |= named && (!expr->name.name || strcmp(expr->name.name, mention->alias) == 0);
    return !mention->found;
}

/* (line_items l JOIN orders o ON …) j: j.store_id can be one column only. */
static void mend_alias(Ambiguity *a, const Block *block, const FromItem *join) {
    for (int i = 0; i < a->nlate; i++) {
        Mention mention = {join->alias, a->late[i], false};

        walk_block(block, &(Walk){.expr = search_expr, .arg = &mention});
        if (mention.found)
            mend_side(a, block, join, a->late[i]);
    }
}

/* ---- NATURAL ---- */

static bool equal(Ambiguity *a, const AmbiguityColumns *x, const AmbiguityColumns *y) {
    bool equal = x->n == y->n;

    for (int i = 0; i < x->n && equal; i++)
        equal = ambiguity_count(a, y, x->columns[i].name) > 0;
    return equal;
}

static const char *condition(Ambiguity *a, const AmbiguityColumns *shared) {
    Buf sql = {0};
    const char *text;

    for (int i = 0; i < shared->n; i++) {
        buf_append_cstr(&sql, i == 0 ? " USING (" : ", ");
        quote_identifier(&sql, shared->columns[i].name);
    }
    buf_append_cstr(&sql, shared->n > 0 ? ")" : " ON true");
    text = arena_strndup(a->rw->arena, (const char *)buf_ptr(&sql), buf_len(&sql));
    buf_free(&sql);
    return text;
}

static void spell_out(Ambiguity *a, const FromItem *join, const AmbiguityColumns *shared) {
    const Str text = a->rw->text;
    Span word;
    size_t right;
    uint32_t end;

    if (!find_natural(a, join, &word, &right)) {
        note(a, "where NATURAL stands in the text is not known");
        return;
    }
    end = item_end(a, right);
    if (word.end < text.len && text.ptr[word.end] == ' ')
        word.end++;
    ambiguity_replace(a, word, "");
    ambiguity_replace(a, (Span){end, end}, condition(a, shared));
}

static void postpone(Ambiguity *a, const FromItem *join, const AmbiguityColumns *shared) {
    AmbiguityNatural *natural = ARENA_NEW(a->rw->arena, AmbiguityNatural);

    *natural = (AmbiguityNatural){a->naturals, join, *shared};
    a->naturals = natural;
}

void ambiguity_naturals(Ambiguity *a) {
    for (const AmbiguityNatural *natural = a->naturals; natural; natural = natural->next)
        spell_out(a, natural->join, &natural->shared);
}

/* What * is to hide may be gone already. */
static bool is_gone(Ambiguity *a, const Block *block, const FromItem *join) {
    const StarRange range = star_range(&a->star, block);
    bool gone = true;

    for (int i = 0; i < range.nitems && gone; i++) {
        const StarItem *item = &range.items[i];

        if (star_stands_in(join, item->from) && item->table && ambiguity_is_late(a->rw, item->table))
            gone = item->hides && is_wrapped(a, item->from);
        else if (star_stands_in(join, item->from))
            gone = item->table != NULL;
    }
    return gone;
}

static void mend_natural(Ambiguity *a, const Block *block, const FromItem *join) {
    const AmbiguityColumns before = ambiguity_shared(a, block, join, BEFORE_COLUMN),
                           after = ambiguity_shared(a, block, join, AFTER_COLUMN);

    if (!before.unknown) {
        if (!equal(a, &before, &after) && !is_gone(a, block, join))
            postpone(a, join, &before);
        return;
    }
    for (int i = 0; i < a->nlate; i++) {
        if (!ambiguity_wrap(a, block, join, a->late[i]))
            note(a, "the columns of a NATURAL JOIN are not known");
    }
}

static void mend(Ambiguity *a, const Block *block, const FromItem *from) {
    AmbiguityColumns shared;

    if (!from || from->kind != FROM_JOIN || !star_may(&a->star, 1))
        return;
    mend(a, block, from->left);
    mend(a, block, from->right);
    if (from->natural)
        mend_natural(a, block, from);
    if (from->alias)
        mend_alias(a, block, from);
    if (!from->natural && from->nusing == 0)
        return;
    shared = ambiguity_shared(a, block, from, BEFORE_COLUMN);
    for (int i = 0; i < a->nlate; i++) {
        if (ambiguity_count(a, &shared, a->late[i]) == 0)
            continue;
        mend_side(a, block, from->left, a->late[i]);
        mend_side(a, block, from->right, a->late[i]);
    }
}

void ambiguity_joins(Ambiguity *a, const Block *block) {
    for (int i = 0; i < block->nfrom; i++)
        mend(a, block, block->from[i]);
}
