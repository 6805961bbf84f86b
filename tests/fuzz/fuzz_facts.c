/* Fuzzer: any text → facts. Facts are walked to their last leaf, and their spans must lie where the text has
 * them: a comment that is put in at one of them, which the text chooses, changes nothing. Wants a stack of
 * FACTS_STACK_BYTES (ulimit -s). */
#include <stdlib.h>

#include "parser/facts.h"
#include "tests/unit/parser/dump.h"

#define MAX_PLACES 4096

typedef struct Walked {
    Str text;
    size_t sum; /* so that every string is read */
    uint32_t places[MAX_PLACES];
    int nplaces;
} Walked;

static void check(bool holds) {
    if (!holds)
        abort();
}

static void check_place(Walked *w, uint32_t offset) {
    check(offset <= w->text.len);
    if (offset > 0 && w->nplaces < MAX_PLACES)
        w->places[w->nplaces++] = offset;
}

static void check_span(Walked *w, Span span, char first, char last) {
    check(span.start <= span.end && span.end <= w->text.len);
    if (span.end == 0)
        return;
    check_place(w, span.start);
    check_place(w, span.end);
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

static void check_inside(const Span *inner, const Span *outer) {
    check(inner->end == 0 || (inner->start >= outer->start && inner->end <= outer->end));
}

static void check_targets(Walked *w, const Target *targets, int n, uint32_t end) {
    for (int i = 0; i < n; i++) {
        check_span(w, targets[i].span, 0, 0);
        check_span(w, targets[i].expr_span, 0, 0);
        check(targets[i].span.end <= end);
        if (targets[i].span.end > 0 && targets[i].expr_span.end > 0)
            check_inside(&targets[i].expr_span, &targets[i].span);
    }
}

static void check_clauses(Walked *w, const Block *block) {
    const uint32_t offsets[] = {block->verb,          block->with_end,        block->target_end,
                                block->targets_end,   block->where_place,     block->group_by_end,
                                block->returning_end, block->conflict_set_end};

    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        check_place(w, offsets[i]);
        check(block->span.end == 0 || offsets[i] <= block->span.end);
    }
    check_span(w, block->span, 0, 0);
    check_span(w, block->where_span, 0, 0);
    check_span(w, block->merge_on_span, 0, 0);
    check(block->where_span.end == 0 || block->where_place == 0);
    check(block->where_span.end == 0 || block->where != NULL);
    if (block->span.end > 0) {
        check_inside(&block->where_span, &block->span);
        check_inside(&block->merge_on_span, &block->span);
    }
    check_targets(w, block->targets, block->ntargets, block->targets_end);
    check_targets(w, block->returning, block->nreturning, block->returning_end);
    check_targets(w, block->conflict_set, block->nconflict_set, block->conflict_set_end);
}

static void visit_block(const Block *block, void *arg) {
    Walked *w = arg;

    check_clauses(w, block);

    facts_walk_exprs(block, visit_expr, arg);
    check_span(w, block->column_list, '(', ')');
    check_span(w, block->conflict_target_span, '(', ')');
    check_span(w, block->default_values_span, 0, 0);
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

static void check_statement(Walked *w, const Statement *stmt) {
    check_span(w, stmt->span, 0, 0);
    check_place(w, stmt->copy.table_end);
    check_span(w, stmt->copy.column_list, '(', ')');
    for (int i = 0; i < stmt->nargs && stmt->arg_spans; i++)
        check_span(w, stmt->arg_spans[i], 0, 0);
    if (stmt->inner)
        check_statement(w, stmt->inner);
}

static void check_same(const Walked *w, const Facts *facts, uint32_t offset) {
    Arena *arena = arena_new();
    Buf text = {0}, before = {0}, after = {0};
    Dump dump = {&before, w->text, false};
    const Facts *other;
    Error err;

    buf_append(&text, w->text.ptr, offset);
    buf_append_cstr(&text, "/**/");
    buf_append(&text, w->text.ptr + offset, w->text.len - offset);
    buf_put_u8(&text, 0);
    dump_facts(&dump, facts);
    dump = (Dump){&after, {(char *)buf_ptr(&text), buf_len(&text) - 1}, false};
    other = facts_parse(arena, dump.text, (FactsLimits){0}, &err);
    if (other) {
        dump_facts(&dump, other);
        check(buf_len(&before) == buf_len(&after) &&
              memcmp(buf_ptr(&before), buf_ptr(&after), buf_len(&before)) == 0);
    } else {
        check(str_is(str_of(err.sqlstate), "54000"));
    }
    buf_free(&text);
    buf_free(&before);
    buf_free(&after);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_new();
    char *text = malloc(size + 1);
    static Walked walked;
    const Facts *facts;
    Error err;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    walked.text = (Str){text, size};
    walked.nplaces = 0;
    facts = facts_parse(arena, walked.text, (FactsLimits){0}, &err);
    free(text);
    /* The facts must stand without it; what follows compares with a copy. */
    text = malloc(size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    walked.text.ptr = text;
    for (int i = 0; facts && i < facts->nstatements; i++) {
        check_statement(&walked, &facts->statements[i]);
        facts_walk_blocks(&facts->statements[i], visit_block, &walked);
    }
    if (walked.nplaces > 0)
        check_same(&walked, facts, walked.places[(size + data[size / 2]) % (size_t)walked.nplaces]);
    free(text);
    arena_free(arena);
    return 0;
}
