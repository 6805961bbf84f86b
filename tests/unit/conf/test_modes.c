/* Lists of modes: what they give, how they are shown, what is wrong with them; which section holds for a
 * session. */
#include "conf/modes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf/config.h"

/* multi-tenant, refused, opaque, unparsed: - unset, l log, n notice, b block. */
static const struct {
    const char *text, *actions, *shown;
} taken[] = {
    {"log", "llll", "log"},
    {"Notice", "nnnn", "notice"},
    {" block , ", "bbbb", "block"},
    {"multi-tenant: block", "bb--", "multi-tenant: block"},
    {"MULTI-TENANT:block", "bb--", "multi-tenant: block"},
    {"refused: block", "-b--", "refused: block"},
    {"log, multi-tenant: block", "bbll", "log, multi-tenant: block"},
    {"multi-tenant: block, log", "bbll", "log, multi-tenant: block"},
    {"log, refused: block", "lbll", "log, refused: block"},
    {"log, multi-tenant: block, refused: log", "blll", "log, multi-tenant: block, refused: log"},
    {"refused: notice,opaque:log ,unparsed :block, multi-tenant: notice", "nnlb",
     "log, multi-tenant: notice, unparsed: block"},
    {"opaque: log, unparsed: log", "--ll", "opaque: log, unparsed: log"},
    {"block, opaque: notice", "bbnb", "block, opaque: notice"},
    {"notice, unparsed: block, opaque: block", "nnbb", "block, multi-tenant: notice"},
};

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "\"\" has no mode in it"},
    {" , ", "\" , \" has no mode in it"},
    {"loud", "\"loud\" is no mode"},
    {"log notice", "\"log notice\" is no mode"},
    {"multi-tenant", "\"multi-tenant\" is no mode"},
    {"multi-tenant:", "\"\" is no mode"},
    {": block", "\"\" is no verdict that has a mode"},
    {"multi: block", "\"multi\" is no verdict that has a mode"},
    {"multi-tenant: block: log", "\"block: log\" is no mode"},
    {"single-tenant: block",
     "\"single-tenant\" has no mode: such statements are always executed, without a word"},
    {"no-tenant-table: notice",
     "\"no-tenant-table\" has no mode: such statements are always executed, without a word"},
    {"log, block", "\"block\" is a second mode for all"},
    {"opaque: log, opaque: log", "\"opaque\" is there twice"},
};

static void assert_modes(const Modes *modes, const char *actions, const char *what) {
    char seen[MODE_SUBJECTS + 1] = "";

    for (int i = 0; i < MODE_SUBJECTS; i++)
        seen[i] = "-lnb"[modes->action[i]];
    if (strcmp(seen, actions) != 0)
        fail_msg("%s: %s, not %s", what, seen, actions);
}

static void test_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        Modes modes, again;
        Error err;
        char *shown;

        if (!modes_read(taken[i].text, &modes, &err))
            fail_msg("%s: %s", taken[i].text, err.message);
        assert_modes(&modes, taken[i].actions, taken[i].text);
        shown = modes_show(&modes);
        assert_string_equal(shown, taken[i].shown);
        assert_true(modes_read(shown, &again, &err));
        assert_memory_equal(&again, &modes, sizeof modes);
        free(shown);
    }
}

/* What is shown of any combination is read as the same. */
static void test_all_shown(void **state) {
    (void)state;
    for (int n = 1; n < 256; n++) {
        Modes modes = {{(uint8_t)(n & 3), (uint8_t)(n >> 2 & 3), (uint8_t)(n >> 4 & 3), (uint8_t)(n >> 6)}},
              again;
        Error err;
        char *shown;

        if (modes.action[MODE_MULTI_TENANT] != MODE_UNSET && modes.action[MODE_REFUSED] == MODE_UNSET)
            continue; /* no list gives this */
        shown = modes_show(&modes);
        if (!modes_read(shown, &again, &err))
            fail_msg("%s: %s", shown, err.message);
        assert_memory_equal(&again, &modes, sizeof modes);
        free(shown);
    }
}

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        Modes modes = {{MODE_BLOCK, MODE_BLOCK, MODE_BLOCK, MODE_BLOCK}};
        Error err = {0};

        assert_false(modes_read(refused[i].text, &modes, &err));
        assert_string_equal(err.message, refused[i].message);
        assert_non_null(strstr(err.hint, "log, notice or block"));
        assert_modes(&modes, "bbbb", "a list that is refused changes nothing");
    }
}

static void test_session(void **state) {
    static const char FILE_TEXT[] = "[audit]\nmode = notice, opaque: block\n"
                                    "[user Ada]\nmode = multi-tenant: block\n"
                                    "[user \"Ada\"]\nmode = log\n"
                                    "[user silent]\n"
                                    "[application Web]\nmode = opaque: log\n"
                                    "[application \"puma*\"]\nmode = block\n"
                                    "[application \"puma: a*\"]\nmode = log\n"
                                    "[application \"puma: a\"]\nmode = unparsed: block\n"
                                    "[application \"Web App\"]\nmode = multi-tenant: log\n";
    static const struct {
        const char *user, *application, *actions;
    } cases[] = {
        {NULL, NULL, "nnbn"},       {"bob", "", "nnbn"},        {"ada", "", "bbbn"},
        {"Ada", "", "llll"},        {"silent", "", "nnbn"},     {"bob", "Web", "nnln"},
        {"bob", "web", "nnbn"},     {"ada", "Web", "bbln"},     {"ada", "Web App", "llbn"},
        {"bob", "puma", "bbbb"},    {"Ada", "puma 17", "bbbb"}, {"ada", "puma: ab", "llll"},
        {"ada", "puma: a", "bbbb"}, {"Ada", "pum", "llll"},     {"bob", "Puma", "nnbn"},
    };
    Error err;
    Config *config = config_parse("f", FILE_TEXT, CONFIG_FOR_CHECK, &err);

    (void)state;
    if (!config)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Modes modes = config_modes(config, cases[i].user, cases[i].application);
        assert_modes(&modes, cases[i].actions, cases[i].application ? cases[i].application : "none");
    }
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_all_shown),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
