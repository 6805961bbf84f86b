/* Rows of the binary format. */
#include "tests/unit/wire/copy_cases.h"

#define HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define EXTENDED "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\3ext"
#define FIVE "\0\0\0\0015"
#define TRAILER "\377\377"

static const CopyRowOptions binary = {COPY_ROW_BINARY, 0, 0, 0, {NULL, 0}, false, false};

static const StreamCase streams[] = {
    {&binary, BYTES(HEADER), BYTES(HEADER), 0},
    {&binary, BYTES(HEADER TRAILER), BYTES(HEADER), 0},
    {&binary, BYTES(EXTENDED TRAILER), BYTES(EXTENDED), 0},
    {&binary, BYTES(HEADER "\0\1\0\0\0\1a" TRAILER), BYTES(HEADER "\0\2\0\0\0\1a" FIVE), 1},
    {&binary, BYTES(HEADER "\0\1\0\0\0\1a"), BYTES(HEADER "\0\2\0\0\0\1a" FIVE), 1},
    {&binary, BYTES(HEADER "\0\2\377\377\377\377\0\0\0\0\0\0" TRAILER),
     BYTES(HEADER "\0\3\377\377\377\377\0\0\0\0" FIVE "\0\1" FIVE), 2},
    /* broken: signature, flags, lengths, an end within a row, something behind the trailer */
    {&binary, BYTES("PGCOPX"), BYTES("PGCOPX"), 0},
    {&binary, BYTES("PGCOPY\n"), BYTES("PGCOPY\n"), 0},
    {&binary, BYTES("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0"), BYTES("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0"), 0},
    {&binary, BYTES("PGCOPY\n\377\r\n\0\0\0\0\0\377\0\0\0"), BYTES("PGCOPY\n\377\r\n\0\0\0\0\0\377\0\0\0"),
     0},
    {&binary, BYTES(HEADER "\0\1\0\0\0\2a"), BYTES(HEADER "\0\1\0\0\0\2a"), 0},
    {&binary, BYTES(HEADER "\0\1\200\0\0\2a"), BYTES(HEADER "\0\1\200\0\0\2a"), 0},
    {&binary, BYTES(HEADER "\377\376"), BYTES(HEADER "\377\376"), 0},
    {&binary, BYTES(HEADER "\0"), BYTES(HEADER "\0"), 0},
    {&binary, BYTES(HEADER TRAILER "x"), BYTES(HEADER TRAILER "x"), 0},
};

static const FieldsCase fields[] = {
    {&binary, BYTES("\0\0"), 0, ""},
    {&binary, BYTES("\0\3\0\0\0\1a\377\377\377\377\0\0\0\0"), 3, "[a][NULL][]"},
    {&binary, BYTES("\0\2\0\0\0\1a\0\0\0\2b"), -1, ""},
    {&binary, BYTES("\0\2\0\0\0\1a\0\0"), -1, ""},
    {&binary, BYTES("\0"), -1, ""},
};

static const ValueCase values[] = {
    {&binary, BYTES("5"), BYTES(FIVE)},
    {&binary, BYTES(""), BYTES("\0\0\0\0")},
    {&binary, {NULL, 0}, BYTES("\377\377\377\377")},
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

static void test_ends(void **state) {
    const CopyRow row = {.kind = COPY_ROW_DATA, .content = BYTES("\0\0")};
    Buf out = {0};

    (void)state;
    copy_row_put_begin(&out, &binary);
    copy_row_put(&out, &binary, &row, STR_NONE);
    copy_row_put_end(&out, &binary);
    assert_true(str_eq((Str){(char *)buf_ptr(&out), buf_len(&out)}, (Str)BYTES(HEADER "\0\0" TRAILER)));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
