/* Rows of CSV. */
#include "tests/unit/wire/copy_cases.h"

static const CopyRowOptions plain = {COPY_ROW_CSV, ',', '"', '"', BYTES(""), false, true};
static const CopyRowOptions newer = {COPY_ROW_CSV, ',', '"', '"', BYTES(""), false, false};
static const CopyRowOptions escaped = {COPY_ROW_CSV, ';', '\'', '\\', BYTES("NULL"), false, true};
static const CopyRowOptions named = {COPY_ROW_CSV, ',', '"', '"', BYTES(""), true, true};

static const StreamCase streams[] = {
    {&plain, BYTES(""), BYTES(""), 0},
    {&plain, BYTES("a,b\n"), BYTES("a,b,\"5\"\n"), 1},
    {&plain, BYTES("\n"), BYTES(",\"5\"\n"), 1},
    {&plain, BYTES("a\r\nb"), BYTES("a,\"5\"\r\nb,\"5\""), 2},
    {&plain, BYTES("a\rb\r"), BYTES("a,\"5\"\rb,\"5\"\r"), 2},
    /* line ends within quotes are data, and lines all the same */
    {&plain, BYTES("x\n\"a\nb\"\nc\n"), BYTES("x,\"5\"\n\"a\nb\",\"5\"\nc,\"5\"\n"), 4},
    {&plain, BYTES("\"a\r\nb\"\r\nc\r\n"), BYTES("\"a\r\nb\",\"5\"\r\nc,\"5\"\r\n"), 3},
    {&plain, BYTES("x\n\"a\rb\"\n"), BYTES("x,\"5\"\n\"a\rb\",\"5\"\n"), 2},
    /* but within the first line, whose end is not known yet */
    {&plain, BYTES("\"a\"\"\n\"\nb\n"), BYTES("\"a\"\"\n\",\"5\"\nb,\"5\"\n"), 2},
    {&plain, BYTES("a\"b\nc\"d\n"), BYTES("a\"b\nc\"d,\"5\"\n"), 1},
    {&plain, BYTES("\"open\n"), BYTES("\"open\n"), 0},
    {&plain, BYTES("a\n\"open"), BYTES("a,\"5\"\n\"open"), 0},
    {&escaped, BYTES("'a\\'\n';b\nc\n"), BYTES("'a\\'\n';b;'5'\nc;'5'\n"), 2},
    {&escaped, BYTES("'a\\\\'\nb\n"), BYTES("'a\\\\';'5'\nb;'5'\n"), 2},
    {&escaped, BYTES("a\\'\nb'\nc\n"), BYTES("a\\'\nb';'5'\nc;'5'\n"), 2},
    /* the end marker, alone on its line */
    {&plain, BYTES("a\n\\.\nrest"), BYTES("a,\"5\"\n"), 1},
    {&plain, BYTES("a\r\n\\.\r\nrest"), BYTES("a,\"5\"\r\n"), 1},
    {&plain, BYTES("\\.\n"), BYTES(""), 0},
    {&plain, BYTES("a\n\\.b\n"), BYTES("a,\"5\"\n\\.b,\"5\"\n"), 2},
    {&plain, BYTES("a\r\n\\.b\r\n"), BYTES("a,\"5\"\r\n\\.b,\"5\"\r\n"), 2},
    {&plain, BYTES("a\n \\.\n"), BYTES("a,\"5\"\n \\.,\"5\"\n"), 2},
    {&plain, BYTES("a\n\\."), BYTES("a,\"5\"\n\\.,\"5\""), 2},
    {&plain, BYTES("a\n\\"), BYTES("a,\"5\"\n\\,\"5\""), 2},
    {&plain, BYTES("a\n\"\\.\"\nb\n"), BYTES("a,\"5\"\n\"\\.\",\"5\"\nb,\"5\"\n"), 3},
    {&plain, BYTES("a\n\"\n\\.\n\"\nb\n"), BYTES("a,\"5\"\n\"\n\\.\n\",\"5\"\nb,\"5\"\n"), 5},
    {&plain, BYTES("a\n\\.\r\n"), BYTES("a,\"5\"\n\\.\r\n"), 0},
    {&newer, BYTES("a\n\\.\nb\n"), BYTES("a,\"5\"\n\\.,\"5\"\nb,\"5\"\n"), 3},
    /* other line ends than the first */
    {&plain, BYTES("a\nb\rc\n"), BYTES("a,\"5\"\nb\rc\n"), 0},
    {&plain, BYTES("a\r\nb\nc"), BYTES("a,\"5\"\r\nb\nc"), 0},
    {&named, BYTES("id,\"na\nme\"\n1,x\n"), BYTES("id,\"na\nme\",\"5\"\n1,x,\"5\"\n"), 2},
};

static const FieldsCase fields[] = {
    {&plain, BYTES(""), 1, "[NULL]"},
    {&plain, BYTES("a,\"b\",,\"\""), 4, "[a][b][NULL][]"},
    {&plain, BYTES("\"a,b\",c\"d,\"e"), 2, "[a,b][cd,e]"},
    {&plain, BYTES("\"a\"\"b\"\"\"\"\""), 1, "[a\"b\"\"]"},
    {&plain, BYTES("\"a\" b"), 1, "[a b]"},
    {&plain, BYTES("\"a"), -1, ""},
    {&plain, BYTES("\\N,\\x"), 2, "[\\N][\\x]"},
    {&escaped, BYTES("NULL;'NULL';'a\\'b\\\\c\\d'"), 3, "[NULL][NULL][a'b\\c\\d]"},
    {&escaped, BYTES("a\\b;'x''y'"), 2, "[a\\b][xy]"},
    {&escaped, BYTES("'a\\"), -1, ""},
};

static const ValueCase values[] = {
    {&plain, BYTES("5"), BYTES(",\"5\"")},
    {&plain, {NULL, 0}, BYTES(",")},
    {&plain, BYTES(""), BYTES(",\"\"")},
    {&plain, BYTES("a\"b,c\nd"), BYTES(",\"a\"\"b,c\nd\"")},
    {&escaped, BYTES("NULL"), BYTES(";'NULL'")},
    {&escaped, {NULL, 0}, BYTES(";NULL")},
    {&escaped, BYTES("a'b\\c"), BYTES(";'a\\'b\\\\c'")},
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

/* FORCE_NULL and FORCE_NOT_NULL need to know which fields were quoted. */
static void test_quoted(void **state) {
    static const int wanted[] = {2, 0, 7};
    CopyField read[3];
    Buf scratch = {0};

    (void)state;
    assert_int_equal(copy_row_fields(&plain, STR_LIT("a,\"\",\"\""), wanted, 3, read, &scratch), 3);
    assert_true(read[0].quoted && !read[0].null);
    assert_true(!read[1].quoted && !read[1].null);
    assert_true(read[2].null);
    buf_free(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
