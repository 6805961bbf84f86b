/* The three formats behind one face. */
#include "wire/copy_row.h"

#include "wire/copy_internal.h"

static const struct {
    CopyRow (*next)(CopySplitter *, const CopyRowOptions *, const uint8_t *, size_t, bool);
    int (*fields)(const CopyRowOptions *, Str, const int *, int, CopyField *, Buf *);
    void (*put_field)(Buf *, const CopyRowOptions *, Str);
} formats[] = {
    [COPY_ROW_TEXT] = {copy_line_next, copy_text_fields, copy_text_put_field},
    [COPY_ROW_CSV] = {copy_line_next, copy_csv_fields, copy_csv_put_field},
    [COPY_ROW_BINARY] = {copy_binary_next, copy_binary_fields, copy_binary_put_field},
};

static void begin_row(CopySplitter *s) {
    s->scanned = 0;
    s->row_lines = 0;
    s->in_quote = s->last_was_escape = false;
}

CopyRow copy_row_next(CopySplitter *s, const CopyRowOptions *options, const uint8_t *data, size_t size,
                      bool at_end) {
    CopyRow row = {.kind = COPY_ROW_END, .size = size};

    if (s->ended)
        return row;
    row = formats[options->format].next(s, options, data, size, at_end);
    if (row.kind == COPY_ROW_INCOMPLETE || row.kind == COPY_ROW_BROKEN)
        return row;
    if (row.kind == COPY_ROW_END) {
        s->ended = true;
        return row;
    }
    if (!s->begun && options->header)
        row.kind = COPY_ROW_HEADER;
    s->begun = true;
    s->lines += s->row_lines;
    begin_row(s);
    return row;
}

int copy_row_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted, CopyField *fields,
                    Buf *scratch) {
    for (int i = 0; i < nwanted; i++)
        fields[i] = (CopyField){.null = true};
    buf_clear(scratch);
    return formats[options->format].fields(options, row, wanted, nwanted, fields, scratch);
}

void copy_row_put_field(Buf *out, const CopyRowOptions *options, Str value) {
    formats[options->format].put_field(out, options, value);
}

void copy_row_put(Buf *out, const CopyRowOptions *options, const CopyRow *row, Str field) {
    static const Str line_ends[] = {
        [COPY_LINE_UNKNOWN] = {"", 0},
        [COPY_LINE_NL] = {"\n", 1},
        [COPY_LINE_CR] = {"\r", 1},
        [COPY_LINE_CRNL] = {"\r\n", 2},
    };

    if (options->format == COPY_ROW_BINARY) {
        copy_binary_put_row(out, row->content, field);
        return;
    }
    buf_append_str(out, row->content);
    buf_append_str(out, field);
    buf_append_str(out, line_ends[row->line_end]);
}

void copy_row_put_begin(Buf *out, const CopyRowOptions *options) {
    if (options->format == COPY_ROW_BINARY)
        copy_binary_put_begin(out);
}

void copy_row_put_end(Buf *out, const CopyRowOptions *options) {
    if (options->format == COPY_ROW_BINARY)
        copy_binary_put_end(out);
}
