/* What the runner puts into SQL and parameters without a server's help. */
#include "migrate/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void arrays(void **state) {
    static const struct {
        const char *elements[4];
        const char *text;
    } CASES[] = {
        {{NULL}, "{}"},
        {{"16384", NULL}, "{\"16384\"}"},
        {{"a", "b", "c", NULL}, "{\"a\",\"b\",\"c\"}"},
        {{"", NULL}, "{\"\"}"},
        {{"quo\"ted", "back\\slash", NULL}, "{\"quo\\\"ted\",\"back\\\\slash\"}"},
        {{"NULL", "with, comma", "{brace}", NULL}, "{\"NULL\",\"with, comma\",\"{brace}\"}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        SessionArray array = {0};

        for (int e = 0; CASES[i].elements[e]; e++)
            session_array_add(&array, CASES[i].elements[e]);
        assert_string_equal(session_array_text(&array), CASES[i].text);
        assert_string_equal(session_array_text(&array), CASES[i].text);
        session_array_free(&array);
    }
}

static void an_array_grows_after_it_was_read(void **state) {
    SessionArray array = {0};

    (void)state;
    session_array_add(&array, "a");
    assert_string_equal(session_array_text(&array), "{\"a\"}");
    session_array_add(&array, "b");
    assert_string_equal(session_array_text(&array), "{\"a\",\"b\"}");
    session_array_free(&array);
}

static void sleeps_within_bounds(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t start = session_clock(), slept;

        session_sleep(10);
        slept = session_clock() - start;
        assert_in_range(slept, 4, 1000); /* the upper bound is for a busy machine */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays),
        cmocka_unit_test(an_array_grows_after_it_was_read),
        cmocka_unit_test(sleeps_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
