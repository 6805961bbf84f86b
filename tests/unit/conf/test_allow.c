/* Fingerprints and times of the allow-list. */
#include "conf/allow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf/config.h"

static const struct {
    const char *text, *shown, *rest;
} times[] = {
    {"forever", "forever", ""},
    {" FOREVER  for the report ", "forever", "for the report"},
    {"2027-01-01", "2027-01-01 00:00:00+00", ""},
    {"2027-01-01 12:00", "2027-01-01 12:00:00+00", ""},
    {"2027-01-01 23:59:59", "2027-01-01 23:59:59+00", ""},
    {"2027-01-01T12:00", "2027-01-01 12:00:00+00", ""},
    {"2027-01-01t12:00:01Z", "2027-01-01 12:00:01+00", ""},
    {"2027-01-01 12:00z", "2027-01-01 12:00:00+00", ""},
    {"2027-01-01 12:00 UTC until then", "2027-01-01 12:00:00+00", "until then"},
    {"2027-01-01 12:00+02", "2027-01-01 10:00:00+00", ""},
    {"2027-01-01 12:00 -02:30", "2027-01-01 14:30:00+00", ""},
    {"2027-01-01 12:00:00+0200 why", "2027-01-01 10:00:00+00", "why"},
    {"2027-01-01 00:30+01:00", "2026-12-31 23:30:00+00", ""},
    {"2027-01-01 +02", "2026-12-31 22:00:00+00", ""},
    {"2027-01-01Z", "2027-01-01 00:00:00+00", ""},
    {"2028-02-29", "2028-02-29 00:00:00+00", ""},
    {"2027-01-01 nightly report", "2027-01-01 00:00:00+00", "nightly report"},
    {"2027-01-01\t- of Ada", "2027-01-01 00:00:00+00", "- of Ada"},
    {"2027-01-01 12:00 3 a day", "2027-01-01 12:00:00+00", "3 a day"},
    {"2027-01-01 3 a day", "2027-01-01 00:00:00+00", "3 a day"},
    {"2027-01-01 UTCtime", "2027-01-01 00:00:00+00", "UTCtime"},
    {"2027-01-01 Zoe asked", "2027-01-01 00:00:00+00", "Zoe asked"},
    {"0001-01-01", "1-01-01 00:00:00+00", ""},
    {"9999-12-31 23:59:59", "9999-12-31 23:59:59+00", ""},
    {"1970-01-01", "1970-01-01 00:00:00+00", ""},
};

static const char *const no_times[] = {
    "",
    "soon",
    "foreverish",
    "2027",
    "2027-01",
    "2027-1-1",
    "27-01-01",
    "2027-13-01",
    "2027-00-01",
    "2027-02-29",
    "2027-04-31",
    "2027-01-00",
    "2027-01-32",
    "2027-01-012",
    "12027-01-01",
    "2027/01/01",
    "2027-01-01x",
    "2027-01-01T",
    "2027-01-01 24:00",
    "2027-01-01 12:60",
    "2027-01-01 12:00:60",
    "2027-01-01 12:0",
    "2027-01-01 1:00",
    "2027-01-01 12:00x",
    "2027-01-01 12:00:",
    "2027-01-01T12",
    "2027-01-01 12 noon",
    "2027-01-01 12:00+1",
    "2027-01-01 12:00+16",
    "2027-01-01 12:00+02:60",
    "2027-01-01 12:00+02:0",
    "2027-01-01 12:00+02x",
    "-2027-01-01",
    "infinity",
    "2027-01-01 12:00+020",
};

static void test_times(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t until;
        Str rest;
        Error err;
        char *shown;

        if (!allow_read_until(str_of(times[i].text), &until, &rest, &err))
            fail_msg("%s: %s", times[i].text, err.message);
        shown = allow_show_until(until);
        assert_string_equal(shown, times[i].shown);
        if (!str_is(rest, times[i].rest))
            fail_msg("%s: the rest is \"%.*s\"", times[i].text, STR_ARG(rest));
        free(shown);
    }
}

static void test_no_times(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(no_times); i++) {
        int64_t until;
        Str rest;
        Error err = {0};

        if (allow_read_until(str_of(no_times[i]), &until, &rest, &err))
            fail_msg("%s is taken", no_times[i]);
        assert_non_null(strstr(err.message, "does not begin with a time"));
        assert_non_null(strstr(err.hint, "2027-01-01 12:00"));
    }
}

static void test_fingerprints(void **state) {
    static const char *const wrong[] = {"",
                                        "0",
                                        "50fde20626009ab",
                                        "50fde20626009aba0",
                                        "50fde20626009abg",
                                        "0x50fde20626009a",
                                        " 50fde20626009ab",
                                        "0000000000000000"};
    uint64_t fingerprint;
    Error err;

    (void)state;
    assert_true(allow_read_fingerprint(STR_LIT("50fde20626009aba"), &fingerprint, &err));
    assert_true(fingerprint == 0x50fde20626009aba);
    assert_true(allow_read_fingerprint(STR_LIT("FFFFFFFFFFFFFFFF"), &fingerprint, &err));
    assert_true(fingerprint == UINT64_MAX);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(allow_read_fingerprint(str_of(wrong[i]), &fingerprint, &err));
}

static void test_section(void **state) {
    static const char FILE_TEXT[] = "[allow]\n50fde20626009aba = forever the report ; a comment\n"
                                    "; another\n00000000000000AB: 2027-01-01 12:00\n";
    Error err;
    Config *config = config_parse("f", FILE_TEXT, CONFIG_FOR_CHECK, &err);

    (void)state;
    if (!config)
        fail_msg("%s", err.message);
    assert_int_equal(config->nallowed, 2);
    assert_true(config->allowed[0].fingerprint == 0x50fde20626009aba && config->allowed[0].line == 2);
    assert_true(config->allowed[0].until_us == ALLOW_FOREVER);
    assert_string_equal(config->allowed[0].reason, "the report");
    assert_true(config->allowed[1].fingerprint == 0xab && config->allowed[1].line == 4);
    assert_true(config->allowed[1].until_us == INT64_C(1798804800000000));
    assert_null(config->allowed[1].reason);
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_no_times),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
