/* What Citus refuses. The statements were put to Citus 13.2, which said so, or ran them, but for what the
 * proxy does. */
#include "tests/unit/rewrite/cases.c.inc"

/* "!": the beginning of Citus's message, nothing where it runs the statement; "#": the verdict; "?": a part
 * of the reason; "+": of the suggestion. */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const StatementDecision *s = &decision->statements[0];

    (void)arena;
    assert_int_equal(decision->nstatements, 1);
    for (int i = 0; i < c->nexpected; i++) {
        const char *mark = c->expected[i], *expected = mark[1] ? mark + 2 : "";

        if (*mark == '!' &&
            (*expected ? !s->citus_error || strncmp(s->citus_error, expected, strlen(expected)) != 0
                       : s->citus_error != NULL))
            case_fail(c, "Citus says something else", expected, s->citus_error);
        if (*mark == '#' && strcmp(verdict_name(s->verdict), expected) != 0)
            case_fail(c, "has another verdict", expected, verdict_name(s->verdict));
        if (*mark == '?' && (!s->reason || !strstr(s->reason, expected)))
            case_fail(c, "has another reason", expected, s->reason);
        if (*mark == '+' && (!s->suggestion || !strstr(s->suggestion, expected)))
            case_fail(c, "has another suggestion", expected, s->suggestion);
    }
    if (s->citus_error && (s->verdict != VERDICT_MULTI_TENANT || !s->reason))
        case_fail(c, "what is refused is multi-tenant, with a reason", "multi-tenant",
                  verdict_name(s->verdict));
}

static void test_reads(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/citus_reads.cases", check) > 0);
}

static void test_writes(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/citus_writes.cases", check) > 0);
}

static void test_functions(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/citus_functions.cases", check) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_writes),
        cmocka_unit_test(test_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
