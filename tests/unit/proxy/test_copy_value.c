/* Keys and tenants in the rows of a COPY. */
#include "proxy/copy_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BYTES(literal)                                                                                       \
    { (literal), sizeof(literal) - 1 }

static const Column int2 = {.type = "smallint", .type_schema = "pg_catalog", .type_name = "int2"};
static const Column int4 = {.type = "integer", .type_schema = "pg_catalog", .type_name = "int4"};
static const Column int8 = {.type = "bigint", .type_schema = "pg_catalog", .type_name = "int8"};
static const Column uuid = {.type = "uuid", .type_schema = "pg_catalog", .type_name = "uuid"};
static const Column text = {.type = "text", .type_schema = "pg_catalog", .type_name = "text"};
static const Column numeric = {.type = "numeric", .type_schema = "pg_catalog", .type_name = "numeric"};
static const Column own = {.type = "s.int8", .type_schema = "s", .type_name = "int8"};

static void test_wrong(void **state) {
    static const struct {
        const Column *column;
        BindParam value;
        bool wrong, wrong_to_16;
    } cases[] = {
        {&int8, {BYTES("7"), false}, false, false},
        {&int8, {BYTES(" +007 "), false}, false, false},
        {&int8, {BYTES("-9223372036854775808"), false}, false, false},
        {&int8, {BYTES("9223372036854775808"), false}, true, true},
        {&int4, {BYTES("-2147483649"), false}, true, true},
        {&int2, {BYTES("32767"), false}, false, false},
        {&int2, {BYTES("32768"), false}, true, true},
        {&int8, {BYTES(""), false}, true, true},
        {&int8, {BYTES("-"), false}, true, true},
        {&int8, {BYTES("1-"), false}, true, true},
        {&int8, {BYTES("0x1f"), false}, true, false},
        {&int8, {BYTES("1_000"), false}, true, false},
        {&int8, {BYTES("1\0"), false}, true, false},
        {&int8, {BYTES("\0\0\0\0\0\0\0\7"), true}, false, false},
        {&int8, {BYTES("\0\0\0\7"), true}, true, true},
        {&uuid, {BYTES("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), false}, false, false},
        {&uuid, {BYTES("{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"), false}, false, false},
        {&uuid, {BYTES("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"), false}, true, true},
        {&uuid, {BYTES("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111"), false}, true, true},
        {&uuid, {BYTES("g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), false}, true, true},
        {&uuid, {BYTES("0123456789abcdef"), true}, false, false},
        {&uuid, {BYTES("0123456789abcde"), true}, true, true},
        {&text, {BYTES("anything"), false}, false, false},
        {&numeric, {BYTES("x"), false}, false, false},
        {&own, {BYTES("x"), false}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(copy_value_is_wrong(cases[i].column, &cases[i].value, true), cases[i].wrong);
        assert_int_equal(copy_value_is_wrong(cases[i].column, &cases[i].value, false), cases[i].wrong_to_16);
    }
}

/* From text to binary and back. */
static void test_binary(void **state) {
    static const struct {
        const Column *column;
        Str text, binary, back; /* binary.ptr NULL: refused */
    } cases[] = {
        {&int2, BYTES("-2"), BYTES("\377\376"), BYTES("-2")},
        {&int4, BYTES(" 258"), BYTES("\0\0\1\2"), BYTES("258")},
        {&int8, BYTES("-9223372036854775808"), BYTES("\200\0\0\0\0\0\0\0"), BYTES("-9223372036854775808")},
        {&int8, BYTES("9223372036854775807"), BYTES("\177\377\377\377\377\377\377\377"),
         BYTES("9223372036854775807")},
        {&int2, BYTES("40000"), {NULL, 0}, {NULL, 0}},
        {&int8, BYTES("x"), {NULL, 0}, {NULL, 0}},
        {&uuid, BYTES("A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11"),
         BYTES("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"),
         BYTES("a0eebc999c0b4ef8bb6d6bb9bd380a11")},
        {&uuid, BYTES("a0"), {NULL, 0}, {NULL, 0}},
        {&text, BYTES("a b"), BYTES("a b"), BYTES("a b")},
        {&text, BYTES(""), BYTES(""), BYTES("")},
        {&numeric, BYTES("1"), {NULL, 0}, {NULL, 0}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Buf out = {0}, back = {0};
        Error err;

        assert_int_equal(copy_value_put_binary(&out, cases[i].column, cases[i].text, &err),
                         cases[i].binary.ptr != NULL);
        if (cases[i].binary.ptr) {
            const BindParam value = {{(const char *)buf_ptr(&out), buf_len(&out)}, true};

            assert_true(str_eq(value.bytes, cases[i].binary));
            copy_value_put_text(&back, cases[i].column, &value);
            assert_true(str_eq((Str){(const char *)buf_ptr(&back), buf_len(&back)}, cases[i].back));
        }
        buf_free(&out);
        buf_free(&back);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
