/* The CONTEXT of errors within a COPY. */
#include "proxy/copy_context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/backend.h"

static const Table items = {.name = "line, items"};
static const CopyPlan tabs = {.table = &items,
                              .row = {.format = COPY_ROW_TEXT, .delimiter = '\t', .null_text = {"\\N", 2}},
                              .nfields = 2};
static const CopyPlan binary = {.table = &items, .row = {.format = COPY_ROW_BINARY}, .nfields = 2};

static const struct {
    const CopyPlan *plan;
    int shift;
    const char *before;
    const char *after; /* NULL: as it is */
} cases[] = {
    {&tabs, 5, "COPY line, items, line 7", "COPY line, items, line 12"},
    {&tabs, -1, "COPY line, items, line 10, column a: \"x\"", "COPY line, items, line 9, column a: \"x\""},
    {&tabs, 5, "COPY line, items, Zeile 7, Spalte a: »x 8«", "COPY line, items, Zeile 12, Spalte a: »x 8«"},
    {&tabs, 5, "PL/pgSQL function f() line 3\nCOPY line, items, line 7\nmore",
     "PL/pgSQL function f() line 3\nCOPY line, items, line 12\nmore"},
    {&tabs, 5, "COPY line, item, line 7", NULL},
    {&tabs, 5, "COPY line, items, line x\n7", NULL},
    {&tabs, 5, "COPY line, items", NULL},
    {&tabs, 0, "COPY line, items, line 7", NULL},
    {&tabs, 0, "COPY line, items, line 7: \"a\tb\t5\"", "COPY line, items, line 7: \"a\tb\""},
    {&tabs, 1, "COPY line, items, line 7: \"a\tb\tc\t\\N\"", "COPY line, items, line 8: \"a\tb\tc\""},
    {&tabs, 0, "COPY line, items, line 7: \"a\tb\"", NULL},
    {&tabs, 0, "COPY line, items, line 7: \"a\"", NULL},
    {&tabs, 0, "COPY line, items, line 7: \"\"", NULL},
    {&binary, 0, "COPY line, items, line 7: \"a\tb\t5\"", NULL},
};

static void test_shift(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Buf in = {0}, out = {0};
        Str shown;

        buf_append(&in, "SERROR\0C22P02\0W", 15);
        buf_put_cstr(&in, cases[i].before);
        buf_append(&in, "Rf\0\0", 4);
        assert_int_equal(copy_context_put(&out, (Str){(const char *)buf_ptr(&in), buf_len(&in)},
                                          cases[i].plan, cases[i].shift),
                         cases[i].after != NULL);
        if (cases[i].after) {
            const Str payload = {(const char *)buf_ptr(&out) + FRAME_HEADER_BYTES,
                                 buf_len(&out) - FRAME_HEADER_BYTES};

            shown = backend_error_field(payload, 'W');
            assert_true(str_is(shown, cases[i].after));
            assert_true(str_is(backend_error_field(payload, 'C'), "22P02"));
            assert_true(str_is(backend_error_field(payload, 'R'), "f"));
        } else {
            assert_int_equal(buf_len(&out), 0);
        }
        buf_free(&in);
        buf_free(&out);
    }
}

static void test_own(void **state) {
    const Str row = {"aééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé", 121};
    Buf out = {0};
    char *context = copy_context_make(&tabs, 3, row), *plain = copy_context_make(&tabs, 4, STR_NONE);
    Error err;

    (void)state;
    assert_string_equal(
        context, "COPY line, items, line 3: \"aééééééééééééééééééééééééééééééééééééééééééééééééé...\"");
    assert_string_equal(plain, "COPY line, items, line 4");
    error_set(&err, "22P04", "no");
    copy_context_put_own(&out, &err, plain);
    assert_true(str_is(
        backend_error_field(
            (Str){(const char *)buf_ptr(&out) + FRAME_HEADER_BYTES, buf_len(&out) - FRAME_HEADER_BYTES}, 'W'),
        plain));
    buf_clear(&out);
    copy_context_put_own(&out, &err, NULL);
    assert_null(
        backend_error_field(
            (Str){(const char *)buf_ptr(&out) + FRAME_HEADER_BYTES, buf_len(&out) - FRAME_HEADER_BYTES}, 'W')
            .ptr);
    buf_free(&out);
    free(context);
    free(plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
