/* Fuzzes the rows of COPY: however the stream is cut, its rows are the same; nothing is read behind what has
 * come; and a field that is put behind a row is read from there again, with the others as they were. */
#include <stdlib.h>

#include "base/mem.h"
#include "wire/copy_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES(literal)                                                                                       \
    { (literal), sizeof(literal) - 1 }
#define WANTED 3

static const CopyRowOptions options_of[] = {
    {COPY_ROW_TEXT, '\t', 0, 0, BYTES("\\N"), false, false},
    {COPY_ROW_TEXT, '|', 0, 0, BYTES("x"), true, false},
    {COPY_ROW_CSV, ',', '"', '"', BYTES(""), false, true},
    {COPY_ROW_CSV, ';', '\'', '\\', BYTES("x"), true, true},
    {COPY_ROW_CSV, ',', '"', '\'', BYTES("x"), false, false},
    {COPY_ROW_BINARY, 0, 0, 0, {NULL, 0}, false, false},
};

static void require(bool holds) {
    if (!holds)
        abort();
}

static bool within(Str part, Str whole) {
    return part.ptr >= whole.ptr && part.len <= whole.len &&
           (size_t)(part.ptr - whole.ptr) <= whole.len - part.len;
}

static void check_row(const CopyRowOptions *options, const CopyRow *row) {
    static const Str value = BYTES("a\\\t,;|\"'\n");
    const int wanted[WANTED] = {0, 1, 2};
    int n, again, last;
    CopyField fields[WANTED], reread[WANTED], put_back;
    Buf scratch = {0}, other = {0}, field = {0}, put = {0};

    n = copy_row_fields(options, row->content, wanted, WANTED, fields, &scratch);
    require(n >= -1);
    last = n;
    copy_row_put_field(&field, options, value);
    copy_row_put(&put, options, &(CopyRow){.kind = COPY_ROW_DATA, .content = row->content},
                 (Str){(char *)buf_ptr(&field), buf_len(&field)});
    if (n >= 0 && n < INT16_MAX) {
        const Str whole = {(char *)buf_ptr(&put), buf_len(&put)};

        again = copy_row_fields(options, whole, wanted, WANTED, reread, &other);
        require(again == n + 1);
        for (int i = 0; i < WANTED && i < n; i++)
            require(fields[i].null == reread[i].null && fields[i].quoted == reread[i].quoted &&
                    (fields[i].null || str_eq(fields[i].value, reread[i].value)));
        require(copy_row_fields(options, whole, &last, 1, &put_back, &other) == n + 1);
        require(!put_back.null && str_eq(put_back.value, value));
    }
    buf_free(&scratch);
    buf_free(&other);
    buf_free(&field);
    buf_free(&put);
}

/* Splits it in pieces of `step` bytes; what the rows are goes into `out`. */
static void split(const CopyRowOptions *options, Str stream, size_t step, Buf *out) {
    CopySplitter s = {.begun = false};
    CopyRow row = {.kind = COPY_ROW_DATA};
    size_t start = 0, end = 0;

    while (row.kind != COPY_ROW_END && row.kind != COPY_ROW_BROKEN) {
        const bool at_end = end == stream.len;
        const size_t len = end - start;
        /* Of exactly this size, so that a read behind it is seen. */
        char *exact = mem_alloc(len > 0 ? len : 1);

        memcpy(exact, stream.ptr + start, len);
        row = copy_row_next(&s, options, (uint8_t *)exact, len, at_end);
        require(row.size <= len);
        require(row.kind != COPY_ROW_INCOMPLETE || !at_end);
        if (row.kind == COPY_ROW_DATA || row.kind == COPY_ROW_HEADER) {
            require(within(row.content, (Str){exact, len}) && row.content.len <= row.size);
            if (options->format != COPY_ROW_BINARY || row.kind == COPY_ROW_DATA)
                check_row(options, &row);
        }
        if (row.kind == COPY_ROW_INCOMPLETE)
            end = stream.len - end < step ? stream.len : end + step;
        else if (row.kind == COPY_ROW_DATA || row.kind == COPY_ROW_HEADER)
            buf_printf(out, "%d %zu %zu %d %llu;", (int)row.kind, row.size, row.content.len,
                       (int)row.line_end, (unsigned long long)s.lines);
        else
            buf_printf(out, "%d;", (int)row.kind);
        start += row.size;
        free(exact);
    }
}

/* The first byte chooses the format, the second the length of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const CopyRowOptions *options;
    Buf whole = {0}, pieces = {0};
    Str stream;

    if (size < 2)
        return 0;
    options = &options_of[data[0] % ARRAY_LEN(options_of)];
    stream = (Str){(const char *)data + 2, size - 2};
    split(options, stream, stream.len + 1, &whole);
    split(options, stream, (size_t)data[1] % 16 + 1, &pieces);
    require(buf_len(&whole) == buf_len(&pieces) &&
            memcmp(buf_ptr(&whole), buf_ptr(&pieces), buf_len(&whole)) == 0);
    buf_free(&whole);
    buf_free(&pieces);
    return 0;
}
