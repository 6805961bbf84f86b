/* Where the parts of a statement stand: from a statement to its query, and from a query to those in it. */
#include "parser/facts_spans.h"

#include "parser/facts_internal.h"

/* A sub-select's "(" is found from where the parser says that its expression is, at most so many tokens on:
 * `OPERATOR (schema.=) ANY (`. */
#define SUBLINK_REACH 16

/* ---- a query ---- */

/* Without parentheses around all of it. */
static Range stripped(const Tokens *ts, Range r) {
    while (r.to > r.from && token_mark(ts, r.from) == '(' && ts->all[r.from].match == r.to - 1) {
        r.from++;
        r.to--;
    }
    return r;
}

/* SEARCH … SET column, CYCLE … USING column. Returns the index behind it; `i` if it has no end. */
static uint32_t cte_clause(const Tokens *ts, Range r, uint32_t i, TokenWord last) {
    uint32_t at = tokens_find(ts, (Range){i, r.to}, last);

    /* A column that is called as the word is. */
    while (at < r.to && (token_word(ts, at - 1) == WORD_BY || token_mark(ts, at - 1) == ','))
        at = tokens_find(ts, (Range){at + 1, r.to}, last);
    return at < r.to ? tokens_name(ts, at + 1) : i;
}

/* One common table expression from its name on. Returns the index behind it, 0 if it is none. */
static uint32_t cte(const Tokens *ts, Range r, const Cte *found) {
    uint32_t i = tokens_name(ts, r.from);
    Range body;

    if (ts->all[r.from].start != found->location || i == r.from)
        return 0;
    if (token_mark(ts, i) == '(')
        i = token_next(ts, i);
    if (token_word(ts, i++) != WORD_AS)
        return 0;
    if (token_word(ts, i) == WORD_NOT)
        i++;
    if (token_word(ts, i) == WORD_MATERIALIZED)
        i++;
    if (i >= r.to || token_mark(ts, i) != '(')
        return 0;
    body = tokens_inside(ts, i);
    if (found->block)
        spans_query(ts, body, found->block, false);
    i = body.to + 1;
    if (token_word(ts, i) == WORD_SEARCH)
        i = cte_clause(ts, r, i, WORD_SET);
    if (token_word(ts, i) == WORD_CYCLE)
        i = cte_clause(ts, r, i, WORD_USING);
    return i;
}

/* WITH …; returns the index of what it belongs to, 0 if it is not as the tree has it. */
static uint32_t with_clause(const Tokens *ts, Range r, Block *block) {
    uint32_t i = r.from + (block->recursive ? 2 : 1);

    for (int k = 0; k < block->nctes; k++) {
        if (k > 0 && token_mark(ts, i++) != ',')
            return 0;
        if (i >= r.to || (i = cte(ts, (Range){i, r.to}, &block->ctes[k])) == 0)
            return 0;
    }
    block->with_end = ts->all[i - 1].end;
    return i;
}

/* A query in parentheses that ORDER BY or LIMIT follow is the same query as what stands in them. */
static bool is_core(const Tokens *ts, Range r) {
    return token_mark(ts, r.from) == '(' && ts->all[r.from].match + 1 < r.to &&
           token_is_tail(token_word(ts, ts->all[r.from].match + 1));
}

static bool query_parts(const Tokens *ts, Range r, Block *block, bool bare) {
    r = stripped(ts, r);
    if (r.from < r.to && token_word(ts, r.from) == WORD_WITH) {
        if (block->nctes == 0 || block->with_end > 0 || (r.from = with_clause(ts, r, block)) == 0)
            return false;
        r = stripped(ts, r);
    }
    while (r.from < r.to && is_core(ts, r)) {
        r = stripped(ts, (Range){r.from, ts->all[r.from].match + 1});
        if (token_word(ts, r.from) == WORD_WITH)
            return query_parts(ts, r, block, false);
    }
    if (r.from >= r.to || (block->nctes > 0 && block->with_end == 0))
        return false;
    block->verb = ts->all[r.from].start;
    switch (block->kind) {
    case BLOCK_SELECT:
        return spans_select(ts, r, block);
    case BLOCK_SETOP:
        return spans_set_operation(ts, r, block, bare);
    case BLOCK_VALUES:
        return spans_values(ts, r, block);
    case BLOCK_INSERT:
        return spans_insert(ts, r, block);
    case BLOCK_UPDATE:
        return spans_update(ts, r, block);
    case BLOCK_DELETE:
        return spans_delete(ts, r, block);
    case BLOCK_MERGE:
        return spans_merge(ts, r, block);
    }
    return false;
}

static void forget_targets(Target *targets, int n) {
    for (int i = 0; i < n; i++)
        targets[i].span = targets[i].expr_span = (Span){0, 0};
}

/* All places of a block, of what stands in it none. */
static void forget(Block *block) {
    const Span none = {0, 0};

    block->verb = block->with_end = block->targets_end = block->where_place = block->group_by_end = 0;
    block->returning_end = block->conflict_set_end = block->target_end = 0;
    block->span = block->where_span = block->column_list = block->default_values_span = none;
    block->conflict_target_span = block->merge_on_span = none;
    block->is_table_command = false;
    spans_forget_joins(block);
    forget_targets(block->targets, block->ntargets);
    forget_targets(block->returning, block->nreturning);
    forget_targets(block->conflict_set, block->nconflict_set);
    for (int i = 0; i < block->nrows; i++) {
        block->rows[i].span = none;
        for (int k = 0; k < block->rows[i].ncells; k++)
            block->rows[i].cells[k].span = none;
    }
    for (int i = 0; i < block->nmerge_actions; i++)
        forget(block->merge_actions[i]);
}

/* ---- sub-selects of expressions ---- */

typedef struct Within {
    const Tokens *ts;
    Range range;
} Within;

static void visit_expr(const Expr *expr, void *arg) {
    const Within *w = arg;
    uint32_t i, last;

    if (!expr->block || expr->location == 0)
        return;
    i = tokens_at(w->ts, expr->location);
    last = i + SUBLINK_REACH < w->range.to ? i + SUBLINK_REACH : w->range.to;
    while (i < last && !w->ts->all[i].is_query)
        i++;
    if (i >= w->range.from && i < last)
        spans_query(w->ts, tokens_inside(w->ts, i), expr->block, false);
}

static void sub_selects(const Tokens *ts, Range r, const Block *block) {
    Within within = {ts, r};

    facts_walk_exprs(block, visit_expr, &within);
    for (int i = 0; i < block->nmerge_actions; i++)
        facts_walk_exprs(block->merge_actions[i], visit_expr, &within);
}

void spans_query(const Tokens *ts, Range range, Block *block, bool bare) {
    Range inner = stripped(ts, range);

    block->span = tokens_span(ts, inner);
    if (!query_parts(ts, inner, block, bare && inner.from == range.from))
        forget(block);
    sub_selects(ts, inner, block);
}

/* ---- a statement ---- */

static void execute_args(Convert *c, const Tokens *ts, Range r, Statement *stmt) {
    uint32_t open = tokens_name(ts, r.from + 1);
    Range list, element;

    if (stmt->nargs == 0 || open >= r.to || token_mark(ts, open) != '(')
        return;
    list = tokens_inside(ts, open);
    if (tokens_count_elements(ts, list) != stmt->nargs)
        return;
    stmt->arg_spans = ARENA_ARRAY(c->arena, Span, stmt->nargs);
    for (int i = 0; tokens_element(ts, &list, &element); i++)
        stmt->arg_spans[i] = tokens_span(ts, element);
}

/* Behind EXPLAIN and its options, which may stand in parentheses: so may the query. */
static uint32_t explained(const Tokens *ts, Range r) {
    uint32_t i = r.from + 1;

    if (token_mark(ts, i) == '(' && !ts->all[i].is_query)
        return token_next(ts, i);
    while (token_word(ts, i) == WORD_ANALYZE || token_word(ts, i) == WORD_ANALYSE ||
           token_word(ts, i) == WORD_VERBOSE)
        i++;
    return i;
}

/* CREATE … AS query [WITH [NO] DATA]. */
static Range created_query(const Tokens *ts, Range r) {
    uint32_t as = tokens_find(ts, r, WORD_AS), end = r.to;

    if (token_word(ts, end - 1) == WORD_DATA) {
        end -= token_word(ts, end - 2) == WORD_NO ? 2 : 1;
        end = token_word(ts, end - 1) == WORD_WITH ? end - 1 : r.to;
    }
    return (Range){as + 1, end};
}

/* The tokens of the statement or query that stands in this one. */
static Range inner_range(const Tokens *ts, Range r, const Statement *stmt) {
    switch (stmt->kind) {
    case STMT_EXPLAIN:
        return (Range){explained(ts, r), r.to};
    case STMT_PREPARE:
        return (Range){tokens_find(ts, r, WORD_AS) + 1, r.to};
    case STMT_DECLARE_CURSOR:
        return (Range){tokens_find(ts, r, WORD_FOR) + 1, r.to};
    case STMT_CREATE_AS:
        /* SELECT … INTO is the query itself. */
        return token_word(ts, r.from) == WORD_CREATE ? created_query(ts, r) : r;
    case STMT_COPY:
        return token_mark(ts, r.from + 1) == '(' ? tokens_inside(ts, r.from + 1) : (Range){0, 0};
    default:
        return r;
    }
}

static void statement(Convert *c, const Tokens *ts, Range r, Statement *stmt) {
    /* What stands in no block: the arguments of EXECUTE and CALL, the condition of COPY. */
    const Block outside = {.where = stmt->copy.where, .group_by = stmt->args, .ngroup_by = stmt->nargs};
    Range inner;

    if (r.from >= r.to)
        return;
    sub_selects(ts, r, &outside);
    if (stmt->kind == STMT_EXECUTE)
        execute_args(c, ts, r, stmt);
    inner = inner_range(ts, r, stmt);
    if (inner.from >= inner.to || inner.from < r.from)
        return;
    if (stmt->block)
        spans_query(ts, inner, stmt->block, false);
    if (stmt->inner)
        statement(c, ts, inner, stmt->inner);
}

static const Tokens *tokens(Convert *c) {
    if (!c->tokens.all)
        c->tokens = tokens_of(c->temporary, c->text);
    return &c->tokens;
}

void facts_statement_spans(Convert *c, Statement *stmt) {
    const Tokens *ts = tokens(c);
    Range r = {tokens_at(ts, stmt->span.start), tokens_at(ts, stmt->span.end)};

    while (r.to > r.from && token_mark(ts, r.to - 1) == ';')
        r.to--;
    statement(c, ts, r, stmt);
}

/* ---- single places ---- */

Span facts_name_span(Convert *c, uint32_t location) {
    const Tokens *ts = tokens(c);
    uint32_t i = tokens_at(ts, location);

    if (i >= ts->n || ts->all[i].start != location)
        return (Span){0, 0};
    return tokens_span(ts, (Range){i, tokens_qualified_name(ts, i)});
}

/* The column list behind a table's name, of COPY. */
Span facts_column_list_span(Convert *c, Span table, int ncolumns) {
    const Tokens *ts = tokens(c);
    uint32_t open = tokens_at(ts, table.end);

    if (table.end == 0 || token_mark(ts, open) != '(' ||
        tokens_count_elements(ts, tokens_inside(ts, open)) != ncolumns)
        return (Span){0, 0};
    return tokens_span(ts, (Range){open, token_next(ts, open)});
}
