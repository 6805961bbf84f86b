/* Where the parts of INSERT, UPDATE, DELETE and MERGE stand. */
#include "parser/facts_spans.h"

/* ---- what several of them have ---- */

/* Steps over the table's name, which the tree knows the place of, and what belongs to it: ONLY (t), t *, its
 * alias. Returns the index behind it; 0 if it is not there. */
static uint32_t behind_target(const Tokens *ts, uint32_t i, const FromItem *target) {
    uint32_t open = 0;

    if (token_word(ts, i) == WORD_ONLY)
        i++;
    if (token_mark(ts, i) == '(')
        open = i++;
    if (i >= ts->n || ts->all[i].start != target->location)
        return 0;
    i = tokens_qualified_name(ts, i);
    if (open > 0)
        i = token_next(ts, open);
    if (token_mark(ts, i) == '*')
        i++;
    if (!target->alias)
        return i;
    return tokens_name(ts, token_word(ts, i) == WORD_AS ? i + 1 : i);
}

/* The place of the "=" of an assignment: the first one at its level. */
static uint32_t assignment_sign(const Tokens *ts, Range entry) {
    uint32_t i = entry.from;

    while (i < entry.to && token_mark(ts, i) != '=')
        i = token_next(ts, i);
    return i;
}

/* The elements of a row of n: (1, 2), ROW (1, 2), also in more parentheses. False for another expression. */
static bool row_elements(const Tokens *ts, Range source, int n, Range *elements) {
    while (source.from + 1 < source.to) {
        bool is_row = token_word(ts, source.from) == WORD_ROW;
        uint32_t open = source.from + (is_row ? 1 : 0);

        if (token_mark(ts, open) != '(' || ts->all[open].is_query || token_next(ts, open) != source.to)
            return false;
        *elements = tokens_inside(ts, open);
        if (is_row || n > 1) {
            int found = tokens_count_elements(ts, *elements);

            if (is_row || found != 1)
                return found == n;
        }
        source = *elements;
    }
    return false;
}

/* (a, b) = source: each has its expression if the source is a row of them; of another one, all of it is the
 * first's. */
static void several_assignments(const Tokens *ts, Range entry, uint32_t sign, Target *targets, int n) {
    Range source = {sign + 1, entry.to}, list, element;

    targets[0].span = tokens_span(ts, entry);
    if (!row_elements(ts, source, n, &list)) {
        targets[0].expr_span = tokens_span(ts, source);
        return;
    }
    for (int i = 0; tokens_element(ts, &list, &element); i++)
        targets[i].expr_span = tokens_span(ts, element);
}

bool spans_assignments(const Tokens *ts, Range list, Target *targets, int n) {
    Range entry;
    int done = 0, columns;

    while (tokens_element(ts, &list, &entry)) {
        uint32_t sign = assignment_sign(ts, entry);
        bool several = entry.from < entry.to && token_mark(ts, entry.from) == '(';

        if (sign + 1 >= entry.to)
            return false;
        columns = several ? tokens_count_elements(ts, tokens_inside(ts, entry.from)) : 1;
        if (columns < 1 || columns > n - done)
            return false;
        if (several) {
            several_assignments(ts, entry, sign, targets + done, columns);
        } else {
            targets[done].span = tokens_span(ts, entry);
            targets[done].expr_span = tokens_span(ts, (Range){sign + 1, entry.to});
        }
        done += columns;
    }
    return done == n;
}

/* The end of what stands before RETURNING. The list is checked with the tree. */
static bool returning(const Tokens *ts, Range *range, Block *block) {
    uint32_t at = tokens_find(ts, *range, WORD_RETURNING);
    Range list = {at + 1, range->to};

    if ((at < range->to) != (block->nreturning > 0))
        return false;
    if (at < range->to) {
        if (!spans_targets(ts, list, block->returning, block->nreturning))
            return false;
        block->returning_end = tokens_end(ts, list);
    }
    range->to = at;
    return true;
}

/* The condition at the end of the range, which then ends before it. */
static bool where(const Tokens *ts, Range *range, Block *block) {
    uint32_t at = tokens_find(ts, *range, WORD_WHERE);

    if ((at < range->to) != (block->where != NULL))
        return false;
    if (!block->where)
        block->where_place = tokens_end(ts, *range);
    else if (block->where->kind != EXPR_CURRENT_OF)
        block->where_span = tokens_span(ts, (Range){at + 1, range->to});
    range->to = at;
    return true;
}

/* ---- INSERT ---- */

static bool column_list(const Tokens *ts, uint32_t *i, Block *block) {
    if (!block->has_column_list)
        return true;
    if (token_mark(ts, *i) != '(' || tokens_count_elements(ts, tokens_inside(ts, *i)) != block->ncolumns)
        return false;
    block->column_list = tokens_span(ts, (Range){*i, token_next(ts, *i)});
    *i = token_next(ts, *i);
    return true;
}

static void overriding(const Tokens *ts, uint32_t *i) {
    if (token_word(ts, *i) == WORD_OVERRIDING)
        *i += 3;
}

static bool default_values(const Tokens *ts, uint32_t i, Block *block) {
    if (token_word(ts, i) != WORD_DEFAULT || token_word(ts, i + 1) != WORD_VALUES)
        return false;
    block->default_values_span = tokens_span(ts, (Range){i, i + 2});
    return true;
}

/* VALUES in parentheses is the same to the parser. */
static bool source(const Tokens *ts, Range range, Block *block) {
    if (range.from >= range.to)
        return false;
    if (block->default_values)
        return default_values(ts, range.from, block) && range.from + 2 == range.to;
    if (block->source) {
        spans_query(ts, range, block->source, false);
        return true;
    }
    while (token_mark(ts, range.from) == '(' && ts->all[range.from].match == range.to - 1)
        range = tokens_inside(ts, range.from);
    return spans_rows(ts, range, block);
}

/* The last ON CONFLICT: a column of a join's condition may have that name. */
static uint32_t on_conflict(const Tokens *ts, Range range) {
    uint32_t found = range.to;

    for (uint32_t i = range.from; i < range.to; i = token_next(ts, i))
        if (token_is_clause(ts, i, WORD_ON) && token_word(ts, i + 1) == WORD_CONFLICT)
            found = i;
    return found;
}

/* Behind ON CONFLICT. */
static bool conflict(const Tokens *ts, Range range, Block *block) {
    uint32_t action = tokens_find(ts, range, WORD_DO), where_at;
    Range set;

    if (block->nconflict_target > 0) {
        if (token_mark(ts, range.from) != '(' ||
            tokens_count_elements(ts, tokens_inside(ts, range.from)) != block->nconflict_target)
            return false;
        block->conflict_target_span = tokens_span(ts, (Range){range.from, token_next(ts, range.from)});
    }
    if (action >= range.to)
        return false;
    if (block->conflict == CONFLICT_NOTHING)
        return token_word(ts, action + 1) == WORD_NOTHING;
    if (token_word(ts, action + 1) != WORD_UPDATE || token_word(ts, action + 2) != WORD_SET)
        return false;
    set = (Range){action + 3, range.to};
    where_at = tokens_find(ts, set, WORD_WHERE);
    if (set.from >= where_at || (where_at < range.to) != (block->conflict_set_where != NULL))
        return false;
    set.to = where_at;
    block->conflict_set_end = tokens_end(ts, set);
    return spans_assignments(ts, set, block->conflict_set, block->nconflict_set);
}

bool spans_insert(const Tokens *ts, Range range, Block *block) {
    uint32_t i = range.from, end;

    if (token_word(ts, i) != WORD_INSERT || token_word(ts, i + 1) != WORD_INTO ||
        (i = behind_target(ts, i + 2, block->target)) == 0)
        return false;
    block->target_end = ts->all[i - 1].end;
    if (!column_list(ts, &i, block))
        return false;
    overriding(ts, &i);
    range.from = i;
    if (i >= range.to || !returning(ts, &range, block))
        return false;
    end = block->conflict != CONFLICT_NONE ? on_conflict(ts, range) : range.to;
    if (block->conflict != CONFLICT_NONE &&
        (end + 2 >= range.to || !conflict(ts, (Range){end + 2, range.to}, block)))
        return false;
    return source(ts, (Range){i, end}, block);
}

/* ---- UPDATE, DELETE ---- */

bool spans_update(const Tokens *ts, Range range, Block *block) {
    uint32_t i = range.from, from;

    if (token_word(ts, i) != WORD_UPDATE || (i = behind_target(ts, i + 1, block->target)) == 0 ||
        token_word(ts, i) != WORD_SET)
        return false;
    range.from = i + 1;
    if (!returning(ts, &range, block) || !where(ts, &range, block))
        return false;
    for (from = range.from; from < range.to; from = token_next(ts, from))
        if (token_word(ts, from) == WORD_FROM && token_word(ts, from - 1) != WORD_DISTINCT)
            break;
    if (range.from >= from || (from < range.to) != (block->nfrom > 0))
        return false;
    block->targets_end = ts->all[from - 1].end;
    if (block->nfrom > 0 && !spans_from(ts, (Range){from + 1, range.to}, block))
        return false;
    return spans_assignments(ts, (Range){range.from, from}, block->targets, block->ntargets);
}

bool spans_delete(const Tokens *ts, Range range, Block *block) {
    uint32_t i = range.from;

    if (token_word(ts, i) != WORD_DELETE || token_word(ts, i + 1) != WORD_FROM ||
        (i = behind_target(ts, i + 2, block->target)) == 0)
        return false;
    /* With the last token of the target, behind which WHERE may be inserted. */
    range.from = i - 1;
    if (!returning(ts, &range, block) || !where(ts, &range, block))
        return false;
    if (block->nfrom == 0)
        return i == range.to;
    return i < range.to && token_word(ts, i) == WORD_USING && spans_from(ts, (Range){i + 1, range.to}, block);
}

/* ---- MERGE ---- */

/* The next token of the level that is this keyword and stands in no CASE. */
static uint32_t outside_case(const Tokens *ts, Range range, TokenWord word) {
    int depth = 0;

    for (uint32_t i = range.from; i < range.to; i = token_next(ts, i)) {
        if (depth == 0 && token_word(ts, i) == word)
            return i;
        depth += token_word(ts, i) == WORD_CASE;
        depth -= token_word(ts, i) == WORD_END;
    }
    return range.to;
}

static bool merge_insert(const Tokens *ts, Range range, Block *action) {
    uint32_t i = range.from + 1;

    action->target_end = ts->all[range.from].end;
    if (!column_list(ts, &i, action))
        return false;
    overriding(ts, &i);
    if (action->default_values)
        return default_values(ts, i, action);
    return token_word(ts, i) == WORD_VALUES && i + 1 < range.to && token_mark(ts, i + 1) == '(' &&
           spans_row(ts, i + 1, action->rows);
}

/* [NOT] MATCHED [AND condition] THEN action. */
static bool merge_action(const Tokens *ts, Range range, Block *action) {
    uint32_t i = range.from + (token_word(ts, range.from) == WORD_NOT ? 1 : 0);
    uint32_t then = outside_case(ts, range, WORD_THEN);
    Range set = {then + 3, range.to};

    if (token_word(ts, i++) != WORD_MATCHED || then + 1 >= range.to ||
        (token_word(ts, i) == WORD_AND) != (action->where != NULL))
        return false;
    if (action->where)
        action->where_span = tokens_span(ts, (Range){i + 1, then});
    range.from = then + 1;
    action->verb = ts->all[range.from].start;
    switch (token_word(ts, range.from)) {
    case WORD_INSERT:
        return action->kind == BLOCK_INSERT && merge_insert(ts, range, action);
    case WORD_UPDATE:
        if (action->kind != BLOCK_UPDATE || set.from >= set.to)
            return false;
        action->targets_end = tokens_end(ts, set);
        return spans_assignments(ts, set, action->targets, action->ntargets);
    case WORD_DELETE:
        return action->kind == BLOCK_DELETE;
    case WORD_DO:
        return action->kind == BLOCK_UPDATE && action->ntargets == 0;
    default:
        return false;
    }
}

/* The ON of the MERGE: the last one, those before are of joins in its source. */
static uint32_t merge_condition(const Tokens *ts, Range range) {
    uint32_t found = range.to;

    for (uint32_t i = range.from; i < range.to; i = token_next(ts, i))
        if (token_word(ts, i) == WORD_ON)
            found = i;
    return found;
}

bool spans_merge(const Tokens *ts, Range range, Block *block) {
    uint32_t i = range.from, on, when;

    if (token_word(ts, i) != WORD_MERGE || token_word(ts, i + 1) != WORD_INTO ||
        (i = behind_target(ts, i + 2, block->target)) == 0 || token_word(ts, i) != WORD_USING)
        return false;
    range.from = i + 1;
    when = outside_case(ts, range, WORD_WHEN);
    on = merge_condition(ts, (Range){range.from, when});
    if (on + 1 >= when || !spans_from(ts, (Range){range.from, on}, block))
        return false;
    block->merge_on_span = tokens_span(ts, (Range){on + 1, when});
    for (int k = 0; k < block->nmerge_actions; k++) {
        Range action = {when + 1, range.to};

        if (action.from >= range.to)
            return false;
        action.to = when = outside_case(ts, action, WORD_WHEN);
        if (!merge_action(ts, action, block->merge_actions[k]))
            return false;
    }
    return when == range.to;
}
