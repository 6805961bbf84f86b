/* Prefixes and messages of the server's log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/lint_log_message.h"
#include "cli/lint_log_prefix.h"

/* "session/user/database/application", or "no". */
static void check_prefix(const char *pattern, const char *text, const char *expected) {
    LintLogPrefix p = {0};
    char got[200] = "no";
    if (lint_log_prefix_matches(pattern, str_of(text), &p))
        snprintf(got, sizeof(got), "%.*s/%.*s/%.*s/%.*s", STR_ARG(p.session), STR_ARG(p.user),
                 STR_ARG(p.database), STR_ARG(p.application));
    assert_string_equal(got, expected);
}

static void test_prefixes(void **state) {
    (void)state;
    check_prefix("", "", "///");
    check_prefix("", "x", "no");
    check_prefix("%m [%p] ", "2026-01-02 03:04:05.678 UTC [77] ", "77///");
    check_prefix("%t [%p] ", "2026-01-02 03:04:05 +03 [77] ", "77///");
    check_prefix("%m [%p] ", "2026-01-02 03:04 UTC [77] ", "no");
    check_prefix("%m [%p] ", "2026-01-02 03:04:05.678 UTC [x] ", "no");
    check_prefix("%u@%d ", "a@b@c ", "/a/b@c/");
    check_prefix("%q%u@%d ", "", "///");
    check_prefix("%p %q%u@%d ", "77 ", "77///");
    check_prefix("%p %c ", "77 65f.4d ", "65f.4d///");
    check_prefix("%c %p ", "65f.4d 77 ", "65f.4d///");
    check_prefix("%8u|%-8d|", "     joe|shop    |", "/joe/shop/");
    check_prefix("%% %a: ", "% my app: v2: ", "///my app: v2");
    check_prefix(
        "%e %i %x %v %l %s %r %h %b %Q %n %P> ",
        "00000 SELECT 0 3/14 2 2026-01-02 03:04:05 UTC 10.0.0.1(99) 10.0.0.1 client backend -12 1.5 > ",
        "///");
    check_prefix("%Z%u", "joe", "/joe//");
    check_prefix("%u%", "joe", "/joe//");
}

/* Free texts that could be divided in very many ways. */
static void test_prefix_ends(void **state) {
    (void)state;
    char text[4000];
    LintLogPrefix p;
    memset(text, ' ', sizeof(text));
    assert_false(lint_log_prefix_matches("%u %d %a %r %h %i x", (Str){text, sizeof(text)}, &p));
}

/* "event ms text" */
static void check_message(const char *message, const char *expected) {
    static const char *const events[] = {"nothing", "sent",      "executed",    "prepared",
                                         "took",    "connected", "disconnected"};
    LintLogMessage m = lint_log_message(str_of(message));
    char got[200];
    snprintf(got, sizeof(got), "%s %.1f %.*s", events[m.event], m.ms, STR_ARG(m.text));
    assert_string_equal(got, expected);
}

static void test_messages(void **state) {
    (void)state;
    check_message("statement: SELECT 1: 2", "sent 0.0 SELECT 1: 2");
    check_message("statement: ", "sent 0.0 ");
    check_message("execute <unnamed>: SELECT 1", "sent 0.0 SELECT 1");
    check_message("execute S_1/C_2: SELECT ': '", "sent 0.0 SELECT ': '");
    check_message("execute fetch from S_1/C_2: SELECT 1", "nothing 0.0 ");
    check_message("execute without a colon", "nothing 0.0 ");
    check_message("duration: 1.500 ms", "took 1.5 ");
    check_message("duration: 1.500 ms  statement: SELECT 1", "executed 1.5 SELECT 1");
    check_message("duration: 1.500 ms  execute a: SELECT 1", "executed 1.5 SELECT 1");
    check_message("duration: 1.500 ms  parse a: SELECT 1", "prepared 1.5 SELECT 1");
    check_message("duration: 1.500 ms  bind a/b: SELECT 1", "prepared 1.5 SELECT 1");
    check_message("duration: 1.500 ms  execute fetch from a: SELECT 1", "prepared 1.5 SELECT 1");
    check_message("duration: 1.500 ms  plan:\nQuery Text: SELECT 1", "nothing 0.0 ");
    check_message("duration: x ms", "nothing 0.0 ");
    check_message("duration: ", "nothing 0.0 ");
    check_message("00000: duration: 1.500 ms", "took 1.5 ");
    check_message("connection authorized: user=a database=b", "connected 0.0 ");
    check_message("disconnection: session time: 0:00:00.1 user=a database=b host=[local]",
                  "disconnected 0.0 ");
    check_message("checkpoint starting: time", "nothing 0.0 ");
    check_message("", "nothing 0.0 ");
    assert_true(
        str_is(lint_log_prepared(STR_LIT("prepare: PREPARE a AS SELECT 1")), "PREPARE a AS SELECT 1"));
    assert_int_equal(lint_log_prepared(STR_LIT("parameters: $1 = 'prepare: '")).len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_prefix_ends),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
