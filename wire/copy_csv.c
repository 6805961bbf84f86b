/* Fields of CSV: a quote may open and close anywhere in a field; within quotes, an escape goes with the quote
 * or escape behind it. */
#include "wire/copy_internal.h"

typedef struct Reader {
    const CopyRowOptions *options;
    Str row;
    size_t i;
    uint8_t *out; /* NULL: the value is not wanted */
    bool open;    /* the row ends inside quotes */
} Reader;

static void emit(Reader *r, char c) {
    if (r->out)
        *r->out++ = (uint8_t)c;
}

/* From behind the opening quote to behind the closing one. */
static void read_quoted(Reader *r) {
    const char quote = r->options->quote, escape = r->options->escape;

    while (r->i < r->row.len) {
        const char c = r->row.ptr[r->i++];
        const bool more = r->i < r->row.len;

        if (c == escape && more && (r->row.ptr[r->i] == quote || r->row.ptr[r->i] == escape)) {
            emit(r, r->row.ptr[r->i++]);
        } else if (c == quote) {
            return;
        } else {
            emit(r, c);
        }
    }
    r->open = true;
}

/* Up to the delimiter or the end of the row. */
static void read_field(Reader *r, bool *quoted) {
    *quoted = false;
    while (r->i < r->row.len && r->row.ptr[r->i] != r->options->delimiter) {
        const char c = r->row.ptr[r->i++];

        if (c == r->options->quote) {
            *quoted = true;
            read_quoted(r);
        } else {
            emit(r, c);
        }
    }
}

int copy_csv_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted, CopyField *fields,
                    Buf *scratch) {
    Reader r = {.options = options, .row = row};
    /* Values are no longer than what they are made of: this is enough for all. */
    uint8_t *room = buf_reserve(scratch, row.len + 1);

    for (int n = 0;; n++, r.i++) {
        const size_t start = r.i;
        CopyField field = {.quoted = false};

        r.out = NULL;
        for (int i = 0; i < nwanted; i++)
            r.out = wanted[i] == n ? room : r.out;
        read_field(&r, &field.quoted);
        if (r.open)
            return -1;
        if (r.out) {
            field.value = (Str){(const char *)room, (size_t)(r.out - room)};
            room = r.out;
        }
        field.null = !field.quoted && str_eq((Str){row.ptr + start, r.i - start}, options->null_text);
        copy_give_field(wanted, nwanted, fields, n, field);
        if (r.i >= row.len)
            return n + 1;
    }
}

/* Quoted always, so that nothing in it has a meaning. */
void copy_csv_put_field(Buf *out, const CopyRowOptions *options, Str value) {
    buf_put_u8(out, (uint8_t)options->delimiter);
    if (!value.ptr) {
        buf_append_str(out, options->null_text);
        return;
    }
    buf_put_u8(out, (uint8_t)options->quote);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == options->quote || value.ptr[i] == options->escape)
            buf_put_u8(out, (uint8_t)options->escape);
        buf_put_u8(out, (uint8_t)value.ptr[i]);
    }
    buf_put_u8(out, (uint8_t)options->quote);
}
