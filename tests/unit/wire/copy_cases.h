/* What the tests of the COPY formats share: a stream is split as a whole, byte by byte and at random places,
 * and written again with a field more; all three must give the same. */
#ifndef TESTS_UNIT_WIRE_COPY_CASES_H
#define TESTS_UNIT_WIRE_COPY_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/copy_row.h"

/* A string literal, NULs and all. */
#define BYTES(literal)                                                                                       \
    { (literal), sizeof(literal) - 1 }

typedef struct StreamCase {
    const CopyRowOptions *options;
    Str in;
    Str out; /* with the field "5" at the end of each row; what is broken, and all behind it, as it came */
    uint64_t lines;
} StreamCase;

/* Takes rows off the front of `held`, as long as there are whole ones. */
static inline void copy_cases_take(CopySplitter *s, const CopyRowOptions *options, Buf *held, bool at_end,
                                   bool *raw, Buf *out) {
    Buf field = {0};
    CopyRow row = {.kind = COPY_ROW_DATA};

    copy_row_put_field(&field, options, (Str)BYTES("5"));
    while (!*raw && row.kind != COPY_ROW_INCOMPLETE && row.kind != COPY_ROW_END) {
        /* In a block of exactly its size, so that a read behind it is seen. */
        size_t size = buf_len(held);
        uint8_t *exact = malloc(size > 0 ? size : 1);

        if (size > 0)
            memcpy(exact, buf_ptr(held), size);
        row = copy_row_next(s, options, exact, size, at_end);
        *raw |= row.kind == COPY_ROW_BROKEN;
        if (row.kind == COPY_ROW_DATA || (row.kind == COPY_ROW_HEADER && options->format != COPY_ROW_BINARY))
            copy_row_put(out, options, &row, (Str){(char *)buf_ptr(&field), buf_len(&field)});
        else if (row.kind == COPY_ROW_HEADER)
            buf_append_str(out, row.content);
        buf_consume(held, row.size);
        free(exact);
    }
    if (*raw) {
        buf_append(out, buf_ptr(held), buf_len(held));
        buf_consume(held, buf_len(held));
    }
    buf_free(&field);
}

/* step 0: pieces of random sizes. */
static inline void copy_cases_check(const StreamCase *c, size_t step, unsigned number) {
    CopySplitter s = {.begun = false};
    Buf held = {0}, out = {0};
    bool raw = false;
    size_t done = 0;

    while (done < c->in.len) {
        size_t n = step > 0 ? step : (size_t)rand() % 4;

        n = n < c->in.len - done ? n : c->in.len - done;
        buf_append(&held, c->in.ptr + done, n);
        done += n;
        copy_cases_take(&s, c->options, &held, false, &raw, &out);
    }
    copy_cases_take(&s, c->options, &held, true, &raw, &out);
    if (!str_eq((Str){(char *)buf_ptr(&out), buf_len(&out)}, c->out))
        fail_msg("case %u, pieces of %zu: got <%.*s>, not <%.*s>", number, step, (int)buf_len(&out),
                 (char *)buf_ptr(&out), STR_ARG(c->out));
    if (!raw && s.lines != c->lines)
        fail_msg("case %u: %llu lines, not %llu", number, (unsigned long long)s.lines,
                 (unsigned long long)c->lines);
    buf_free(&held);
    buf_free(&out);
}

static inline void copy_cases_run(const StreamCase *cases, size_t n) {
    for (unsigned i = 0; i < n; i++) {
        copy_cases_check(&cases[i], cases[i].in.len + 1, i);
        copy_cases_check(&cases[i], 1, i);
        for (int k = 0; k < 50; k++)
            copy_cases_check(&cases[i], 0, i);
    }
}

/* The fields of a row, as "[a][NULL][b]"; those wanted are 0 to 3. */
typedef struct FieldsCase {
    const CopyRowOptions *options;
    Str row;
    int n; /* that the row has */
    const char *fields;
} FieldsCase;

static inline void copy_cases_fields(const FieldsCase *cases, size_t ncases) {
    static const int wanted[] = {0, 1, 2, 3};

    for (unsigned i = 0; i < ncases; i++) {
        CopyField fields[4];
        Buf scratch = {0}, shown = {0};
        size_t size = cases[i].row.len;
        char *exact = malloc(size > 0 ? size : 1);
        int n;

        memcpy(exact, cases[i].row.ptr, size);
        n = copy_row_fields(cases[i].options, (Str){exact, size}, wanted, 4, fields, &scratch);
        for (int k = 0; k < 4 && k < n; k++) {
            buf_append_cstr(&shown, fields[k].null ? "[NULL" : "[");
            if (!fields[k].null)
                buf_append_str(&shown, fields[k].value);
            buf_append_cstr(&shown, "]");
        }
        if (n != cases[i].n || !str_is((Str){(char *)buf_ptr(&shown), buf_len(&shown)}, cases[i].fields))
            fail_msg("case %u: %d fields %.*s, not %d %s", i, n, (int)buf_len(&shown),
                     (char *)buf_ptr(&shown), cases[i].n, cases[i].fields);
        buf_free(&scratch);
        buf_free(&shown);
        free(exact);
    }
}

/* A value as it stands in a row, and read from there again. */
typedef struct ValueCase {
    const CopyRowOptions *options;
    Str value;
    Str field;
} ValueCase;

static inline void copy_cases_values(const ValueCase *cases, size_t ncases) {
    for (unsigned i = 0; i < ncases; i++) {
        static const int wanted = 1;
        const bool binary = cases[i].options->format == COPY_ROW_BINARY;
        const CopyRow row = {.kind = COPY_ROW_DATA,
                             .content = binary ? (Str)BYTES("\0\1\0\0\0\1a") : (Str)BYTES("a")};
        CopyField field;
        Buf put = {0}, whole = {0}, scratch = {0};
        Str text;

        copy_row_put_field(&put, cases[i].options, cases[i].value);
        text = (Str){(char *)buf_ptr(&put), buf_len(&put)};
        if (!str_eq(text, cases[i].field))
            fail_msg("case %u: <%.*s>, not <%.*s>", i, STR_ARG(text), STR_ARG(cases[i].field));
        copy_row_put(&whole, cases[i].options, &row, text);
        assert_int_equal(copy_row_fields(cases[i].options, (Str){(char *)buf_ptr(&whole), buf_len(&whole)},
                                         &wanted, 1, &field, &scratch),
                         2);
        assert_int_equal(field.null, !cases[i].value.ptr);
        assert_true(field.null || str_eq(field.value, cases[i].value));
        buf_free(&put);
        buf_free(&whole);
        buf_free(&scratch);
    }
}

#endif
