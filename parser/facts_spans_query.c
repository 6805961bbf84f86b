/* Where the parts of SELECT, VALUES and set operations stand. */
#include "parser/facts_spans.h"

/* ---- lists ---- */

/* An entry's expression, without `AS name` or `name`. */
static Range without_alias(const Tokens *ts, Range entry) {
    uint32_t name = entry.to - 1;

    if (name >= entry.from + 2 && token_word(ts, name - 1) == WORD_UESCAPE &&
        ts->all[name - 2].kind == LEX_QUOTED)
        name -= 2;
    if (name > entry.from && token_word(ts, name - 1) == WORD_AS)
        name--;
    return (Range){entry.from, name};
}

bool spans_targets(const Tokens *ts, Range list, Target *targets, int n) {
    Range entry;

    if (tokens_count_elements(ts, list) != n)
        return false;
    for (int i = 0; tokens_element(ts, &list, &entry); i++) {
        Range expr = targets[i].name && entry.to > entry.from ? without_alias(ts, entry) : entry;

        if (expr.from >= expr.to)
            return false;
        targets[i].span = tokens_span(ts, entry);
        targets[i].expr_span = tokens_span(ts, expr);
    }
    return true;
}

bool spans_row(const Tokens *ts, uint32_t open, Row *row) {
    Range list = tokens_inside(ts, open), cell;

    if (tokens_count_elements(ts, list) != row->ncells)
        return false;
    row->span = tokens_span(ts, (Range){open, list.to + 1});
    for (int k = 0; tokens_element(ts, &list, &cell); k++)
        row->cells[k].span = tokens_span(ts, cell);
    return true;
}

bool spans_rows(const Tokens *ts, Range range, Block *block) {
    uint32_t i = range.from;

    if (token_word(ts, i++) != WORD_VALUES)
        return false;
    for (int k = 0; k < block->nrows; k++) {
        if (k > 0 && token_mark(ts, i++) != ',')
            return false;
        if (i >= range.to || token_mark(ts, i) != '(' || !spans_row(ts, i, &block->rows[k]))
            return false;
        i = token_next(ts, i);
    }
    return i == range.to || token_is_tail(token_word(ts, i));
}

bool spans_values(const Tokens *ts, Range range, Block *block) { return spans_rows(ts, range, block); }

/* ---- FROM ---- */

/* Does an item of FROM stand at i? In the parentheses of a join, which are walked into, one stands first. */
static bool is_item(const Tokens *ts, Range range, uint32_t i) {
    char mark = i > range.from ? token_mark(ts, i - 1) : ',';

    return mark == ',' || mark == '(' || token_word(ts, i - 1) == WORD_JOIN ||
           token_word(ts, i - 1) == WORD_LATERAL;
}

/* The next sub-select at or behind i; range.to for none. */
static uint32_t next_subquery(const Tokens *ts, Range range, uint32_t i) {
    while (i < range.to) {
        bool item = token_mark(ts, i) == '(' && is_item(ts, range, i);

        if (item && ts->all[i].is_query)
            return i;
        i = item ? i + 1 : token_next(ts, i);
    }
    return range.to;
}

/* In the order of the text, with the sub-selects of joins. */
static bool item_spans(const Tokens *ts, Range range, const FromItem *item, uint32_t *at) {
    if (!item)
        return true;
    if (item->kind == FROM_JOIN)
        return item_spans(ts, range, item->left, at) && item_spans(ts, range, item->right, at);
    if (!item->block)
        return true;
    *at = next_subquery(ts, range, *at);
    if (*at >= range.to)
        return false;
    spans_query(ts, tokens_inside(ts, *at), item->block, false);
    *at = token_next(ts, *at);
    return true;
}

bool spans_from(const Tokens *ts, Range range, Block *block) {
    uint32_t at = range.from;

    spans_joins(ts, range, block);
    for (int i = 0; i < block->nfrom; i++)
        if (!item_spans(ts, range, block->from[i], &at))
            return false;
    return next_subquery(ts, range, at) == range.to;
}

/* ---- SELECT ---- */

/* The clauses of a SELECT in their order. */
typedef enum Clause {
    CLAUSE_TARGETS,
    CLAUSE_INTO,
    CLAUSE_FROM,
    CLAUSE_WHERE,
    CLAUSE_GROUP,
    CLAUSE_HAVING,
    CLAUSE_WINDOW,
    CLAUSE_TAIL,
    CLAUSE_END,
} Clause;

/* IS [NOT] DISTINCT FROM begins no FROM, WITHIN GROUP no GROUP BY, COLLATION FOR (…) no FOR UPDATE. */
static Clause clause_at(const Tokens *ts, uint32_t i) {
    TokenWord word = token_word(ts, i);

    if (word == WORD_NONE || !token_is_clause(ts, i, word))
        return CLAUSE_TARGETS;
    switch (word) {
    case WORD_INTO:
        return CLAUSE_INTO;
    case WORD_FROM:
        return token_word(ts, i - 1) == WORD_DISTINCT &&
                       (token_word(ts, i - 2) == WORD_IS || token_word(ts, i - 2) == WORD_NOT)
                   ? CLAUSE_TARGETS
                   : CLAUSE_FROM;
    case WORD_WHERE:
        return CLAUSE_WHERE;
    case WORD_GROUP:
        return token_word(ts, i + 1) == WORD_BY ? CLAUSE_GROUP : CLAUSE_TARGETS;
    case WORD_HAVING:
        return CLAUSE_HAVING;
    case WORD_WINDOW:
        return CLAUSE_WINDOW;
    case WORD_FOR:
        return token_mark(ts, i + 1) == '(' ? CLAUSE_TARGETS : CLAUSE_TAIL;
    default:
        return token_is_tail(word) ? CLAUSE_TAIL : CLAUSE_TARGETS;
    }
}

/* Finds each clause with its keyword. A word of an earlier clause than the current one belongs to that: ROWS
 * FROM. */
static void find_clauses(const Tokens *ts, Range range, Range of[CLAUSE_END]) {
    Clause current = CLAUSE_TARGETS;

    memset(of, 0, sizeof(Range) * CLAUSE_END);
    of[current] = range;
    for (uint32_t i = range.from; i < range.to; i = token_next(ts, i)) {
        Clause clause = clause_at(ts, i);

        if (clause <= current)
            continue;
        of[current].to = i;
        of[clause] = (Range){i, range.to};
        current = clause;
    }
}

static bool agrees(const Block *block, const Range of[CLAUSE_END]) {
    return (of[CLAUSE_FROM].to > 0) == (block->nfrom > 0) &&
           (of[CLAUSE_WHERE].to > 0) == (block->where != NULL) &&
           (of[CLAUSE_GROUP].to > 0) == (block->ngroup_by > 0) &&
           (of[CLAUSE_HAVING].to > 0) == (block->having != NULL) &&
           (of[CLAUSE_WINDOW].to > 0) == (block->nnamed_windows > 0);
}

/* SELECT [ALL | DISTINCT [ON (…)]]: the index behind it. */
static uint32_t behind_select(const Tokens *ts, uint32_t i) {
    if (token_word(ts, ++i) == WORD_ALL)
        return i + 1;
    if (token_word(ts, i) != WORD_DISTINCT)
        return i;
    return token_word(ts, i + 1) == WORD_ON ? token_next(ts, i + 2) : i + 1;
}

static bool table_command(const Tokens *ts, Range range, Block *block) {
    uint32_t i = range.from + 1;

    block->is_table_command = true;
    if (token_word(ts, i) == WORD_ONLY)
        i++;
    if (i >= range.to || block->nfrom != 1 || block->ntargets != 1)
        return false;
    i = token_mark(ts, i) == '(' ? token_next(ts, i) : tokens_qualified_name(ts, i);
    if (token_mark(ts, i) == '*')
        i++;
    return i == range.to || token_is_tail(token_word(ts, i));
}

bool spans_select(const Tokens *ts, Range range, Block *block) {
    Range of[CLAUSE_END], list;
    uint32_t group;

    if (token_word(ts, range.from) == WORD_TABLE)
        return table_command(ts, range, block);
    if (token_word(ts, range.from) != WORD_SELECT)
        return false;
    find_clauses(ts, range, of);
    if (!agrees(block, of))
        return false;
    list = (Range){behind_select(ts, range.from), of[CLAUSE_TARGETS].to};
    if (list.from > list.to || !spans_targets(ts, list, block->targets, block->ntargets))
        return false;
    block->targets_end = ts->all[list.to - 1].end;
    if (block->nfrom > 0 && !spans_from(ts, (Range){of[CLAUSE_FROM].from + 1, of[CLAUSE_FROM].to}, block))
        return false;
    if (block->where) {
        block->where_span = tokens_span(ts, (Range){of[CLAUSE_WHERE].from + 1, of[CLAUSE_WHERE].to});
    } else {
        Clause last = block->nfrom > 0 ? CLAUSE_FROM : of[CLAUSE_INTO].to > 0 ? CLAUSE_INTO : CLAUSE_TARGETS;

        block->where_place = tokens_end(ts, of[last]);
    }
    group = of[CLAUSE_GROUP].to;
    if (group > 0)
        block->group_by_end = ts->all[group - 1].end;
    return true;
}

/* ---- set operations ---- */

static bool is_operator(TokenWord word, SetOp op) {
    return op == SETOP_INTERSECT ? word == WORD_INTERSECT : word == WORD_UNION || word == WORD_EXCEPT;
}

/* The last operator of the kind that binds the arms together: what stands before it is the left arm. 0 for
 * none. */
static uint32_t last_operator(const Tokens *ts, Range range, SetOp op) {
    for (uint32_t i = range.to; i > range.from; i--) {
        TokenWord word = token_word(ts, i - 1);

        if (token_closes(ts, i - 1))
            i = ts->all[i - 1].match + 1;
        else if (is_operator(word, op) && token_is_clause(ts, i - 1, word))
            return i - 1;
    }
    return 0;
}

static uint32_t tail_of(const Tokens *ts, Range range) {
    uint32_t i = range.from;

    while (i < range.to && clause_at(ts, i) != CLAUSE_TAIL)
        i = token_next(ts, i);
    return i < range.to ? i : range.to;
}

bool spans_set_operation(const Tokens *ts, Range range, Block *block, bool bare) {
    static const TokenWord words[] = {
        [SETOP_UNION] = WORD_UNION, [SETOP_INTERSECT] = WORD_INTERSECT, [SETOP_EXCEPT] = WORD_EXCEPT};
    uint32_t end = bare ? range.to : tail_of(ts, range);
    uint32_t at = last_operator(ts, (Range){range.from, end}, block->setop), right = at + 1;

    if (at == 0 || token_word(ts, at) != words[block->setop])
        return false;
    if (token_word(ts, right) == WORD_ALL || token_word(ts, right) == WORD_DISTINCT)
        right++;
    if (at <= range.from || right >= end || (token_word(ts, at + 1) == WORD_ALL) != block->setop_all)
        return false;
    spans_query(ts, (Range){range.from, at}, block->left, true);
    spans_query(ts, (Range){right, end}, block->right, true);
    return true;
}
