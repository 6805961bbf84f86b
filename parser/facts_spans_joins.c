/* Where the conditions of joins stand.
 *
 * FROM is read as the grammar has it: `a JOIN b ON …` binds to the left, and the right operand goes on until
 * the ON or USING that is its join's own. The tree of the items is walked down beside it. Where the two do
 * not agree, no condition of that FROM has a place; all else of the block keeps its own. */
#include "parser/facts_spans.h"

/* LEFT and RIGHT are the names of functions, too. */
static bool starts_join(const Tokens *ts, uint32_t i) {
    TokenWord next = token_word(ts, i + 1);

    switch (token_word(ts, i)) {
    case WORD_JOIN:
        return true;
    case WORD_CROSS:
        return next == WORD_JOIN;
    case WORD_INNER:
    case WORD_LEFT:
    case WORD_RIGHT:
    case WORD_FULL:
        return next == WORD_JOIN || next == WORD_OUTER;
    case WORD_NATURAL:
        return next == WORD_JOIN || next == WORD_INNER || next == WORD_LEFT || next == WORD_RIGHT ||
               next == WORD_FULL;
    default:
        return false;
    }
}

/* The index behind what stands at i: one item, or the condition of a join. */
static uint32_t behind(const Tokens *ts, uint32_t i, uint32_t to) {
    while (i < to && token_mark(ts, i) != ',' && !starts_join(ts, i) && token_word(ts, i) != WORD_ON &&
           token_word(ts, i) != WORD_USING)
        i = token_next(ts, i);
    return i < to ? i : to;
}

/* The index behind JOIN. *has_condition: it is neither CROSS nor NATURAL. */
static uint32_t behind_join(const Tokens *ts, uint32_t i, bool *has_condition) {
    *has_condition = token_word(ts, i) != WORD_CROSS && token_word(ts, i) != WORD_NATURAL;
    while (token_word(ts, i) != WORD_JOIN)
        i++;
    return i + 1;
}

static uint32_t behind_condition(const Tokens *ts, uint32_t i, uint32_t to) {
    if (token_word(ts, i) != WORD_USING || token_mark(ts, i + 1) != '(')
        return behind(ts, i + 1, to);
    i = token_next(ts, i + 1);
    return token_word(ts, i) == WORD_AS ? tokens_name(ts, i + 1) : i;
}

/* Steps over an item with the joins that it is the leftmost item of. Returns the index behind them; *njoins:
 * how many they are. */
static uint32_t behind_joins(const Tokens *ts, uint32_t i, uint32_t to, int *njoins) {
    i = behind(ts, i, to);
    for (*njoins = 0; i < to && starts_join(ts, i); ++*njoins) {
        bool has_condition;
        int inner;

        i = behind_join(ts, i, &has_condition);
        i = has_condition ? behind_joins(ts, i, to, &inner) : behind(ts, i, to);
        if (has_condition && i < to)
            i = behind_condition(ts, i, to);
    }
    return i;
}

static bool joined(const Tokens *ts, uint32_t *i, uint32_t to, FromItem *item);

/* An item by itself: a table, a sub-select, or a join in parentheses. */
static bool single(const Tokens *ts, uint32_t *i, uint32_t to, FromItem *item) {
    uint32_t at = *i;

    *i = behind(ts, at, to);
    if (*i == at)
        return false;
    if (item->kind != FROM_JOIN)
        return item->kind != FROM_TABLE || item->location <= ts->all[*i - 1].start;
    if (token_mark(ts, at) != '(' || ts->all[at].is_query)
        return false;
    to = ts->all[at++].match;
    return joined(ts, &at, to, item) && at == to;
}

static bool condition(const Tokens *ts, uint32_t *i, uint32_t to, FromItem *join) {
    uint32_t at = *i;

    if (at >= to)
        return false;
    *i = behind_condition(ts, at, to);
    if (token_word(ts, at) == WORD_ON && join->quals && *i > at + 1) {
        join->quals_span = tokens_span(ts, (Range){at + 1, *i});
        return true;
    }
    return token_word(ts, at) == WORD_USING && join->nusing > 0;
}

/* The item and the `njoins` joins that it stands leftmost in, of which `item` is the outermost. */
static bool chain(const Tokens *ts, uint32_t *i, uint32_t to, FromItem *item, int njoins) {
    bool has_condition;

    if (njoins == 0)
        return single(ts, i, to, item);
    if (item->kind != FROM_JOIN || !chain(ts, i, to, item->left, njoins - 1) || *i >= to ||
        !starts_join(ts, *i))
        return false;
    *i = behind_join(ts, *i, &has_condition);
    if (!has_condition)
        return single(ts, i, to, item->right);
    return joined(ts, i, to, item->right) && condition(ts, i, to, item);
}

static bool joined(const Tokens *ts, uint32_t *i, uint32_t to, FromItem *item) {
    int njoins;

    behind_joins(ts, *i, to, &njoins);
    return chain(ts, i, to, item, njoins);
}

static void forget(FromItem *item) {
    if (!item)
        return;
    item->quals_span = (Span){0, 0};
    forget(item->left);
    forget(item->right);
}

void spans_forget_joins(Block *block) {
    for (int i = 0; i < block->nfrom; i++)
        forget(block->from[i]);
}

void spans_joins(const Tokens *ts, Range range, Block *block) {
    uint32_t at = range.from;
    bool found = true;

    for (int i = 0; i < block->nfrom && found; i++) {
        found = (i == 0 || token_mark(ts, at++) == ',') && at < range.to &&
                joined(ts, &at, range.to, block->from[i]);
    }
    if (!found || at != range.to)
        spans_forget_joins(block);
}
