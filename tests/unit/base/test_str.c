/* Strings as pointer and length. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_equality(void **state) {
    (void)state;
    assert_true(str_eq(STR_NONE, STR_LIT("")));
    assert_true(str_eq(STR_LIT("a\0b"), (Str){"a\0b", 3}));
    assert_false(str_eq(STR_LIT("a\0b"), (Str){"a\0c", 3}));
    assert_false(str_eq(STR_LIT("a"), STR_LIT("ab")));
    assert_true(str_is(STR_LIT("ab"), "ab"));
    assert_false(str_is(STR_LIT("ab"), "abc"));
    assert_false(str_is(STR_LIT("abc"), "ab"));
    assert_int_equal(str_of(NULL).len, 0);
}

static void test_ignoring_case(void **state) {
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"", "", true},         {"abcXYZ", "ABCxyz", true}, {"abc", "abcd", false},
        {"abcd", "abc", false}, {"@[`{", "@[`{", true},     {"@", "`", false},
        {"[", "{", false},      {"a_b-1", "A_B-1", true},   {"\xc3\xa9", "\xc3\x89", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (str_ieq(str_of(cases[i].a), cases[i].b) != cases[i].equal)
            fail_msg("case %zu", i);
    assert_false(str_ieq(STR_LIT("a\0b"), "a"));
}

static void test_trim(void **state) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""}, {" ", ""}, {" \t\r\n\v\f", ""}, {"a", "a"}, {"  a b\n", "a b"}, {"\xc2\xa0", "\xc2\xa0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!str_is(str_trim(str_of(cases[i].in)), cases[i].out))
            fail_msg("case %zu", i);
    assert_int_equal(str_trim(STR_NONE).len, 0);
}

static int compare_hashes(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Equal strings at any address hash equally, different ones do not (by chance once in 10^13). */
static void test_hash(void **state) {
    static char text[1000], copy[1001];
    uint64_t hashes[1000];

    (void)state;
    for (size_t len = 0; len < ARRAY_LEN(hashes); len++) {
        text[len] = 'x';
        memcpy(copy + 1, text, len);
        hashes[len] = str_hash((Str){text, len});
        assert_true(hashes[len] == str_hash((Str){copy + 1, len}));
    }
    assert_true(str_hash(STR_NONE) == hashes[0]);
    qsort(hashes, ARRAY_LEN(hashes), sizeof(hashes[0]), compare_hashes);
    for (size_t i = 1; i < ARRAY_LEN(hashes); i++)
        assert_true(hashes[i] != hashes[i - 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_ignoring_case),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
