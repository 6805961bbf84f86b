/* Error values: filling, adding, cutting. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void test_fill(void **state) {
    Error err;

    (void)state;
    memset(&err, 'x', sizeof(err));
    assert_false(error_set(&err, SQLSTATE_SYNTAX_ERROR, "line %d", 5));
    assert_string_equal(err.sqlstate, "42601");
    assert_string_equal(err.message, "line 5");
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
    assert_false(error_detail(&err, "%s", "because"));
    assert_false(error_hint(&err, "do %s", "this"));
    assert_false(error_prefix(&err, "file %s", "a.ini"));
    assert_string_equal(err.message, "file a.ini: line 5");
    assert_string_equal(err.detail, "because");
    assert_string_equal(err.hint, "do this");
    assert_false(error_set(&err, SQLSTATE_INTERNAL_ERROR, "again"));
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
}

/* An argument may be a text of the error that is filled. */
static void test_own_texts(void **state) {
    Error err;

    (void)state;
    error_set(&err, SQLSTATE_INTERNAL_ERROR, "one");
    error_detail(&err, "%s", err.message);
    error_set(&err, SQLSTATE_INTERNAL_ERROR, "%s and %s", err.message, err.detail);
    assert_string_equal(err.message, "one and one");
    error_prefix(&err, "%s", err.message);
    assert_string_equal(err.message, "one and one: one and one");
}

/* Texts around the limit, of characters of one to four bytes: as long as fits, and whole characters. */
static void test_cut(void **state) {
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    Error err;

    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(characters); c++) {
        size_t width = strlen(characters[c]);

        for (size_t lead = 0; lead < 4; lead++) {
            char text[700] = "";
            size_t len;

            memset(text, '.', lead);
            while (strlen(text) + width < sizeof(text))
                strcat(text, characters[c]);
            error_set(&err, SQLSTATE_INTERNAL_ERROR, "%s", text);
            len = strlen(err.message);
            assert_int_equal(len, lead + (sizeof(err.message) - 1 - lead) / width * width);
            assert_memory_equal(err.message, text, len);
            assert_true(utf8_valid(str_of(err.message)));
            error_prefix(&err, "%s", text);
            assert_true(utf8_valid(str_of(err.message)));
        }
    }
}

/* Bytes that are no UTF-8 are kept as they are. */
static void test_cut_other_encodings(void **state) {
    char text[700];
    Error err;

    (void)state;
    memset(text, '\x80', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, SQLSTATE_INTERNAL_ERROR, "%s", text);
    assert_in_range(strlen(err.message), sizeof(err.message) - 5, sizeof(err.message) - 1);
    error_set(&err, SQLSTATE_INTERNAL_ERROR, "\xff");
    assert_string_equal(err.message, "\xff");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_own_texts),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_cut_other_encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
