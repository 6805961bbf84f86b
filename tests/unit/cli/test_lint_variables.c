/* psql's variables, and the parameters that stand for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/lint_variables.h"

static void test_references(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {":a", 2},      {":name, 1", 5},   {":1", 2},   {":'a' x", 4}, {":\"a b", 0}, {":\"ab\"", 5},
        {":{?x} y", 5}, {":{x}", 0},       {":{?}", 0}, {":", 0},      {": a", 0},    {":'a", 0},
        {":''", 0},     {":\xC3\xA4;", 3}, {":{?x", 0}, {":a'b", 2},   {":?", 0},     {":-1", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(lint_variables_reference(str_of(cases[i].text)), cases[i].len);
}

/* The text with every reference in it replaced. */
static void check(const char *text, const char *expected) {
    LintVariables variables = {0};
    Buf out = {0};
    for (size_t i = 0; text[i]; i++)
        if (text[i] == ':' && lint_variables_reference(str_of(text + i)) > 0)
            lint_variables_add(&variables, i);
    lint_variables_replace(&variables, str_of(text), &out);
    assert_int_equal(buf_len(&out), strlen(text));
    assert_string_equal((const char *)buf_ptr(&out), expected);
    lint_variables_free(&variables);
    buf_free(&out);
}

static void test_replacement(void **state) {
    (void)state;
    check("a = :a AND b = :b AND c = :a", "a = $1 AND b = $2 AND c = $1");
    check(":ab :long :'q' :a", "$10 $100  $101 $1");
    check(":long + :long", "$100  + $100 ");
    check(":\"col\" :{?x}", " \"col\" TRUE ");
    check("$1 = :a, '$2' = :b", "$1 = $2, '$2' = $3");
    check(":a:b:c:d:e:f:g:h:i:j", "$1$2$3$4$5$6$7$8$9:j");
    check("", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_replacement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
