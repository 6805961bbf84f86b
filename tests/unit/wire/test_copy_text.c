/* Rows of the text format. */
#include "tests/unit/wire/copy_cases.h"

static const CopyRowOptions tabs = {COPY_ROW_TEXT, '\t', 0, 0, BYTES("\\N"), false, false};
static const CopyRowOptions bars = {COPY_ROW_TEXT, '|', 0, 0, BYTES(""), false, false};
static const CopyRowOptions named = {COPY_ROW_TEXT, '\t', 0, 0, BYTES("\\N"), true, false};
static const CopyRowOptions odd = {COPY_ROW_TEXT, 'N', 0, 0, BYTES("none"), false, false};

static const StreamCase streams[] = {
    {&tabs, BYTES(""), BYTES(""), 0},
    {&tabs, BYTES("a\tb\n"), BYTES("a\tb\t5\n"), 1},
    {&tabs, BYTES("a\nb\n"), BYTES("a\t5\nb\t5\n"), 2},
    {&tabs, BYTES("a\nb"), BYTES("a\t5\nb\t5"), 2},
    {&tabs, BYTES("\n\n"), BYTES("\t5\n\t5\n"), 2},
    {&tabs, BYTES("a\r\nb\r\n"), BYTES("a\t5\r\nb\t5\r\n"), 2},
    {&tabs, BYTES("a\rb\r"), BYTES("a\t5\rb\t5\r"), 2},
    {&tabs, BYTES("a\r"), BYTES("a\t5\r"), 1},
    {&tabs, BYTES("a\\\nb\n"), BYTES("a\\\nb\t5\n"), 1},
    {&tabs, BYTES("a\\\\\nb\n"), BYTES("a\\\\\t5\nb\t5\n"), 2},
    {&tabs, BYTES("a\\\rb\nc\n"), BYTES("a\\\rb\t5\nc\t5\n"), 2},
    {&tabs, BYTES("a\\"), BYTES("a\t5"), 1},
    {&tabs, BYTES("\\"), BYTES("\t5"), 1},
    {&tabs, BYTES("a\\.b\n"), BYTES("a\\.b\n"), 0},
    {&tabs, BYTES("a\\\\.\n"), BYTES("a\\\\.\t5\n"), 1},
    /* the end marker */
    {&tabs, BYTES("a\n\\.\nrest\r\n"), BYTES("a\t5\n"), 1},
    {&tabs, BYTES("\\.\n"), BYTES(""), 0},
    {&tabs, BYTES("\\.\r\n"), BYTES(""), 0},
    {&tabs, BYTES("a\\.\n"), BYTES("a\t5"), 1},
    {&tabs, BYTES("a\r\n\\.\r\n"), BYTES("a\t5\r\n"), 1},
    {&tabs, BYTES("a\r\\.\r"), BYTES("a\t5\r"), 1},
    {&tabs, BYTES("a\n\\."), BYTES("a\t5\n\\."), 0},
    {&tabs, BYTES("a\n\\.\r"), BYTES("a\t5\n\\.\r"), 0},
    {&tabs, BYTES("a\r\n\\.\n"), BYTES("a\t5\r\n\\.\n"), 0},
    {&tabs, BYTES("a\r\n\\.\rx"), BYTES("a\t5\r\n\\.\rx"), 0},
    /* other line ends than the first */
    {&tabs, BYTES("a\nb\rc\n"), BYTES("a\t5\nb\rc\n"), 0},
    {&tabs, BYTES("a\nb\r\nc\n"), BYTES("a\t5\nb\r\nc\n"), 0},
    {&tabs, BYTES("a\r\nb\nc\n"), BYTES("a\t5\r\nb\nc\n"), 0},
    {&tabs, BYTES("a\r\nb\rc\n"), BYTES("a\t5\r\nb\rc\n"), 0},
    {&tabs, BYTES("a\rb\nc\n"), BYTES("a\t5\rb\nc\n"), 0},
    {&bars, BYTES("a|b\\|c|\n"), BYTES("a|b\\|c||5\n"), 1},
    {&named, BYTES("id\tname\n1\tx\n"), BYTES("id\tname\t5\n1\tx\t5\n"), 2},
    {&named, BYTES("id"), BYTES("id\t5"), 1},
};

static const FieldsCase fields[] = {
    {&tabs, BYTES(""), 1, "[]"},
    {&tabs, BYTES("a\tb"), 2, "[a][b]"},
    {&tabs, BYTES("\t\t"), 3, "[][][]"},
    {&tabs, BYTES("\\N\tN\t\\\\N\tx\ty"), 5, "[NULL][N][\\N][x]"},
    {&tabs, BYTES("\\b\\f\\n\\r\\t\\v\\q\\\\"), 1, "[\b\f\n\r\t\vq\\]"},
    {&tabs, BYTES("\\1011\t\\18\t\\7"), 3, "[A1][\0018][\007]"},
    {&tabs, BYTES("\\x411\t\\xg\t\\x4\\x"), 3, "[A1][xg][\004x]"},
    {&tabs, BYTES("\\501"), 1, "[A]"},
    {&tabs, BYTES("a\\\tb\tc"), 2, "[a\tb][c]"},
    {&tabs, BYTES("a\tb\\"), 2, "[a][b]"},
    {&bars, BYTES("a||\\|"), 3, "[a][NULL][|]"},
    {&odd, BYTES("aN\\NNnone"), 3, "[a][N][NULL]"},
};

static const ValueCase values[] = {
    {&tabs, BYTES("5"), BYTES("\t5")},
    {&tabs, {NULL, 0}, BYTES("\t\\N")},
    {&tabs, BYTES("a\tb\nc\rd\\e\b\f\v"), BYTES("\ta\\tb\\nc\\rd\\\\e\\b\\f\\v")},
    {&tabs, BYTES("\\N"), BYTES("\t\\\\N")},
    {&tabs, BYTES("\\."), BYTES("\t\\\\.")},
    {&bars, BYTES("a|b"), BYTES("|a\\|b")},
    {&bars, {NULL, 0}, BYTES("|")},
    {&odd, BYTES("none"), BYTES("N\\156one")},
    {&odd, BYTES("NN"), BYTES("N\\N\\N")},
    {&tabs, BYTES("\303\251"), BYTES("\t\303\251")},
};

static void test_streams(void **state) {
    (void)state;
    copy_cases_run(streams, ARRAY_LEN(streams));
}

static void test_fields(void **state) {
    (void)state;
    copy_cases_fields(fields, ARRAY_LEN(fields));
}

static void test_values(void **state) {
    (void)state;
    copy_cases_values(values, ARRAY_LEN(values));
}

/* A row with its field left out is what it was. */
static void test_untouched(void **state) {
    const CopyRow row = {.kind = COPY_ROW_DATA, .content = BYTES("a\tb"), .line_end = COPY_LINE_CRNL};
    Buf out = {0};

    (void)state;
    copy_row_put_begin(&out, &tabs);
    copy_row_put(&out, &tabs, &row, STR_NONE);
    copy_row_put_end(&out, &tabs);
    assert_true(str_is((Str){(char *)buf_ptr(&out), buf_len(&out)}, "a\tb\r\n"));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
