/* Where the parts of a statement stand, as text: for each block a line, then a line for each of its parts. An
 * offset is shown by what stands before it and behind it, with ^ between. */
#ifndef TESTS_PARSER_DUMP_SPANS_H
#define TESTS_PARSER_DUMP_SPANS_H

#include "base/buf.h"
#include "parser/facts.h"

typedef struct SpanDump {
    Buf *out;
    Str text;
} SpanDump;

static void dump_span_line(const SpanDump *d, const char *label, Span span) {
    if (span.end > 0)
        buf_printf(d->out, "  %s <%.*s>\n", label, (int)(span.end - span.start), d->text.ptr + span.start);
}

static void dump_offset(const SpanDump *d, const char *label, uint32_t offset) {
    uint32_t before = offset > 8 ? offset - 8 : 0, behind = (uint32_t)d->text.len;

    if (offset + 8 < behind)
        behind = offset + 8;
    if (offset > 0)
        buf_printf(d->out, "  %s <%.*s^%.*s>\n", label, (int)(offset - before), d->text.ptr + before,
                   (int)(behind - offset), d->text.ptr + offset);
}

static void dump_target_spans(const SpanDump *d, const char *label, const Target *targets, int n) {
    for (int i = 0; i < n; i++) {
        const Target *t = &targets[i];

        buf_printf(d->out, "  %s <%.*s> <%.*s>\n", label, (int)(t->span.end - t->span.start),
                   d->text.ptr + t->span.start, (int)(t->expr_span.end - t->expr_span.start),
                   d->text.ptr + t->expr_span.start);
    }
}

static void dump_row_spans(const SpanDump *d, const Block *b) {
    for (int i = 0; i < b->nrows; i++) {
        dump_span_line(d, "row", b->rows[i].span);
        for (int k = 0; k < b->rows[i].ncells; k++)
            dump_span_line(d, "cell", b->rows[i].cells[k].span);
    }
}

static void dump_join_spans(const SpanDump *d, const FromItem *item) {
    if (!item || item->kind != FROM_JOIN)
        return;
    dump_join_spans(d, item->left);
    dump_join_spans(d, item->right);
    dump_span_line(d, "on", item->quals_span);
}

static void dump_block_spans(const Block *b, void *arg) {
    static const char *const kinds[] = {"select", "setop", "values", "insert", "update", "delete", "merge"};
    const SpanDump *d = arg;

    buf_printf(d->out, "%s%s\n", kinds[b->kind], b->is_table_command ? " table-command" : "");
    dump_span_line(d, "span", b->span);
    if (b->verb > b->span.start)
        dump_offset(d, "verb", b->verb);
    dump_offset(d, "with-end", b->with_end);
    dump_offset(d, "target-end", b->target_end);
    dump_span_line(d, "columns", b->column_list);
    dump_span_line(d, "default", b->default_values_span);
    dump_row_spans(d, b);
    dump_target_spans(d, "target", b->targets, b->ntargets);
    dump_offset(d, "targets-end", b->targets_end);
    for (int i = 0; i < b->nfrom; i++)
        dump_join_spans(d, b->from[i]);
    dump_span_line(d, "merge-on", b->merge_on_span);
    dump_span_line(d, "where", b->where_span);
    dump_offset(d, "where-place", b->where_place);
    dump_offset(d, "group-end", b->group_by_end);
    dump_span_line(d, "conflict", b->conflict_target_span);
    dump_target_spans(d, "conflict-set", b->conflict_set, b->nconflict_set);
    dump_offset(d, "conflict-set-end", b->conflict_set_end);
    dump_target_spans(d, "returning", b->returning, b->nreturning);
    dump_offset(d, "returning-end", b->returning_end);
}

static void dump_statement_spans(const SpanDump *d, const Statement *s) {
    if (s->kind == STMT_COPY) {
        dump_span_line(d, "copy-columns", s->copy.column_list);
        dump_offset(d, "copy-table-end", s->copy.table_end);
    }
    for (int i = 0; i < s->nargs && s->arg_spans; i++)
        dump_span_line(d, "arg", s->arg_spans[i]);
    if (s->kind == STMT_PREPARE)
        buf_printf(d->out, "  types %d params %d\n", s->nprepare_types, s->nprepare_params);
    if (s->inner)
        dump_statement_spans(d, s->inner);
}

static void dump_spans(const SpanDump *d, const Facts *facts) {
    for (int i = 0; i < facts->nstatements; i++) {
        dump_statement_spans(d, &facts->statements[i]);
        facts_walk_blocks(&facts->statements[i], dump_block_spans, (void *)d);
    }
}

#endif
