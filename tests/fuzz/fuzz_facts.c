/* Fuzzer: any text → facts. Facts are walked to their last leaf, and their spans must lie where the text has
 * them. Wants a stack of FACTS_STACK_BYTES (ulimit -s). */
#include <stdlib.h>

#include "parser/facts.h"

typedef struct Walked {
    Str text;
    size_t sum; /* so that every string is read */
} Walked;

static void check(bool holds) {
    if (!holds)
        abort();
}

static void check_span(const Walked *w, Span span, char first, char last) {
    check(span.start <= span.end && span.end <= w->text.len);
    if (span.end == 0)
        return;
    check(span.end > span.start);
    check(first == 0 || w->text.ptr[span.start] == first);
    check(last == 0 || w->text.ptr[span.end - 1] == last);
}

static void visit_expr(const Expr *expr, void *arg) {
    Walked *w = arg;

    w->sum += expr->column ? strlen(expr->column) : 0;
    w->sum += expr->value ? strlen(expr->value) : 0;
    w->sum += expr->op ? strlen(expr->op) : 0;
    check(expr->location <= w->text.len);
    check(expr->ncall_args <= expr->nargs);
}

static void visit_block(const Block *block, void *arg) {
    Walked *w = arg;

    facts_walk_exprs(block, visit_expr, arg);
    check_span(w, block->column_list, '(', ')');
    check_span(w, block->conflict_target_span, '(', ')');
    check_span(w, block->default_values_span, 0, 0);
    check(block->with_end <= w->text.len && block->target_end <= w->text.len);
    if (block->target)
        check_span(w, block->target->span, 0, 0);
    for (int i = 0; i < block->nrows; i++) {
        const Row *row = &block->rows[i];
        uint32_t at = row->span.start;

        check_span(w, row->span, '(', ')');
        for (int k = 0; k < row->ncells; k++) {
            check_span(w, row->cells[k].span, 0, 0);
            check((row->cells[k].span.end == 0) == (row->span.end == 0));
            check(row->span.end == 0 || row->cells[k].span.start > at);
            at = row->cells[k].span.end;
        }
        check(row->span.end == 0 || at < row->span.end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_new();
    char *text = malloc(size + 1);
    Walked walked = {{text, size}, 0};
    const Facts *facts;
    Error err;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    facts = facts_parse(arena, walked.text, (FactsLimits){0}, &err);
    free(text);
    /* The facts must stand without it; what follows compares with a copy. */
    text = malloc(size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    walked.text.ptr = text;
    for (int i = 0; facts && i < facts->nstatements; i++) {
        check_span(&walked, facts->statements[i].span, 0, 0);
        facts_walk_blocks(&facts->statements[i], visit_block, &walked);
    }
    free(text);
    arena_free(arena);
    return 0;
}
