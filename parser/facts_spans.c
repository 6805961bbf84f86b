/* Where the parts of an INSERT stand in the text.
 *
 * The tree knows where a table's name begins, and little else; the rest is found by walking the tokens from
 * there on. What is found must agree with the tree (as many columns, rows, cells): if it does not, no span of
 * that INSERT is set. */
#include "parser/facts_internal.h"
#include "parser/lex.h"

/* A walk over tokens: `token` is the current one. INSERTs in INSERTs are walked over again for each level, so
 * that all walks of one text share a budget of bytes; the text ends where it is used up. */
typedef struct Walk {
    const char *text;
    size_t len;
    size_t *budget;
    LexToken token;
} Walk;

static void step(Walk *w) {
    size_t from = w->token.end;

    w->token = lex_next(w->text, w->len, from);
    if (w->token.end - from > *w->budget)
        w->token.kind = LEX_END;
    else
        *w->budget -= w->token.end - from;
}

static Walk walk_from(Convert *c, size_t offset) {
    Walk w = {c->text.ptr, c->text.len, &c->walk_budget, {LEX_PUNCT, offset, offset}};

    step(&w);
    return w;
}

static bool at_char(const Walk *w, char ch) { return lex_is_char(w->text, w->token, ch); }
static bool at_word(const Walk *w, const char *word) { return lex_is_word(w->text, w->token, word); }
static bool at_end(const Walk *w) { return w->token.kind == LEX_END || w->token.kind == LEX_UNTERMINATED; }
static bool at_name(const Walk *w) { return w->token.kind == LEX_WORD || w->token.kind == LEX_QUOTED; }

static bool step_word(Walk *w, const char *word) {
    if (!at_word(w, word))
        return false;
    step(w);
    return true;
}

/* A name may be U&"…" UESCAPE '…'. Returns the end of the name; 0 if none stands here. */
static size_t step_name(Walk *w) {
    size_t end = w->token.end;

    if (!at_name(w))
        return 0;
    step(w);
    if (at_word(w, "uescape")) {
        step(w);
        end = w->token.end;
        step(w);
    }
    return end;
}

/* s.t, with blanks and comments anywhere between. Returns the end; 0 if no name stands here. */
static size_t step_qualified_name(Walk *w) {
    size_t end = step_name(w);

    while (end > 0 && at_char(w, '.')) {
        step(w);
        end = step_name(w);
    }
    return end;
}

Span facts_name_span(Convert *c, uint32_t location) {
    Walk w = walk_from(c, location);
    uint32_t end = (uint32_t)step_qualified_name(&w);

    return end > 0 ? (Span){location, end} : (Span){0, 0};
}

/* A list in parentheses, at whose "(" the walk stands. Returns the number of its elements, and where each
 * begins and ends if `elements` (of `max`) is given; *span is the whole. 0 if it has no end. An element
 * without any token counts: the comparison with the tree then fails. */
static int step_list(Walk *w, Cell *elements, int max, Span *span) {
    uint32_t start = (uint32_t)w->token.start;
    Span element = {0, 0};
    int depth = 0, n = 0;

    for (; !at_end(w); step(w)) {
        bool opens = at_char(w, '(') || at_char(w, '['), closes = at_char(w, ')') || at_char(w, ']');
        bool last = closes && depth == 1;

        if (depth == 0) {
            depth = 1;
            continue;
        }
        if (last || (depth == 1 && at_char(w, ','))) {
            if (elements && n < max)
                elements[n].span = element;
            n++;
            element = (Span){0, 0};
            if (last) {
                *span = (Span){start, (uint32_t)w->token.end};
                step(w);
                return n;
            }
            continue;
        }
        depth += opens - closes;
        if (element.end == 0)
            element.start = (uint32_t)w->token.start;
        element.end = (uint32_t)w->token.end;
    }
    return 0;
}

/* The column list behind a table's name, of COPY. */
Span facts_column_list_span(Convert *c, Span table, int ncolumns) {
    Walk w = walk_from(c, table.end);
    Span span = {0, 0};

    if (table.end == 0 || !at_char(&w, '(') || step_list(&w, NULL, 0, &span) != ncolumns)
        return (Span){0, 0};
    return span;
}

/* From the name of the last CTE to the INSERT that its WITH belongs to: the end of the last token before it.
 */
static uint32_t end_of_with(Convert *c, const Block *block) {
    Walk w = walk_from(c, block->ctes[block->nctes - 1].location);
    size_t ends[3] = {0}; /* of the last three tokens: what stands before INSERT, INSERT, INTO */

    for (; !at_end(&w) && w.token.start <= block->target->location; step(&w)) {
        if (w.token.start == block->target->location)
            return (uint32_t)ends[0];
        ends[0] = ends[1];
        ends[1] = ends[2];
        ends[2] = w.token.end;
    }
    return 0;
}

static bool row_spans(Walk *w, Block *block) {
    for (int i = 0; i < block->nrows; i++) {
        Row *row = &block->rows[i];

        if (i > 0) {
            if (!at_char(w, ','))
                return false;
            step(w);
        }
        if (!at_char(w, '(') || step_list(w, row->cells, row->ncells, &row->span) != row->ncells)
            return false;
    }
    return !at_char(w, ',');
}

static bool conflict_span(Convert *c, Block *block) {
    Walk w;

    if (block->nconflict_target == 0)
        return true;
    w = walk_from(c, block->conflict_target_span.start);
    return at_char(&w, '(') &&
           step_list(&w, NULL, 0, &block->conflict_target_span) == block->nconflict_target;
}

/* Behind the table's name: [AS alias] [(columns)] [OVERRIDING … VALUE] source. */
static bool insert_spans(Convert *c, Block *block) {
    Walk w = walk_from(c, block->target->location);
    size_t end = step_qualified_name(&w);

    if (end == 0)
        return false;
    if (step_word(&w, "as"))
        end = step_name(&w);
    block->target_end = (uint32_t)end;
    if (end == 0)
        return false;
    if (block->has_column_list &&
        (!at_char(&w, '(') || step_list(&w, NULL, 0, &block->column_list) != block->ncolumns))
        return false;
    if (step_word(&w, "overriding")) {
        step(&w);
        step(&w);
    }
    if (block->default_values) {
        block->default_values_span.start = (uint32_t)w.token.start;
        if (!step_word(&w, "default") || !at_word(&w, "values"))
            return false;
        block->default_values_span.end = (uint32_t)w.token.end;
        return true;
    }
    if (block->nrows == 0)
        return true;
    /* (VALUES …) is the same to the parser. */
    while (at_char(&w, '('))
        step(&w);
    return step_word(&w, "values") && row_spans(&w, block);
}

static void forget_spans(Block *block) {
    const Span none = {0, 0};

    block->target_end = block->with_end = 0;
    block->column_list = block->default_values_span = block->conflict_target_span = none;
    for (int i = 0; i < block->nrows; i++) {
        block->rows[i].span = none;
        for (int k = 0; k < block->rows[i].ncells; k++)
            block->rows[i].cells[k].span = none;
    }
}

void facts_insert_spans(Convert *c, Block *block) {
    bool found = insert_spans(c, block) && conflict_span(c, block);

    if (found && block->nctes > 0) {
        block->with_end = end_of_with(c, block);
        found = block->with_end > 0;
    }
    if (!found)
        forget_spans(block);
}
