/* Reads: what is added, what is proposed, what is left alone. */
#include "tests/unit/rewrite/cases.c.inc"

static const char *proposed(const Case *c, const Decision *decision, Arena *arena) {
    Buf out = {0};
    char *text;

    edits_apply(&decision->proposals, str_of(c->text), &out);
    text = arena_strndup(arena, (const char *)buf_ptr(&out), buf_len(&out));
    buf_free(&out);
    return text;
}

static const char *verdict(const Decision *decision, Arena *arena) {
    const StatementDecision *s = &decision->statements[0];
    const char *text = verdict_name(s->verdict);

    for (int i = 0; i < s->nunscoped; i++)
        text = arena_printf(arena, "%s %s", text, s->unscoped[i]);
    return text;
}

static void is_parsed(const Case *c, const char *text, Arena *arena) {
    Error err;

    if (!facts_parse(arena, str_of(text), (FactsLimits){0}, &err))
        case_fail(c, "what is made of it is not parsed", err.message, text);
}

/* "=" what is sent, "!" that it is the text itself; "~" what is proposed, nothing otherwise; "#" the verdict,
 * "+" the suggestion, "-" that there is none. */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const StatementDecision *s = &decision->statements[0];
    const char *sent = case_rewritten(c, decision, arena), *with = proposed(c, decision, arena);
    const char *wanted = c->text, *wanted_with = c->text;

    for (int i = 0; i < c->nexpected; i++) {
        const char *mark = c->expected[i], *expected = mark + 2;

        if (*mark == '=')
            wanted = expected;
        if (*mark == '~')
            wanted_with = expected;
        if (*mark == '#' && strcmp(verdict(decision, arena), expected) != 0)
            case_fail(c, "has another verdict", expected, verdict(decision, arena));
        if (*mark == '+' && (!s->suggestion || strcmp(s->suggestion, expected) != 0))
            case_fail(c, "has another suggestion", expected, s->suggestion);
        if (*mark == '-' && s->suggestion)
            case_fail(c, "has a suggestion", "none", s->suggestion);
    }
    if (strcmp(sent, wanted) != 0)
        case_fail(c, "is sent otherwise", wanted, sent);
    if (strcmp(with, wanted_with) != 0)
        case_fail(c, "is proposed otherwise", wanted_with, with);
    assert_int_equal(s->rewritten, decision->edits.nedits > 0);
    assert_int_equal(s->proposed, decision->proposals.nedits > 0);
    if (!strchr(sent, '{'))
        is_parsed(c, sent, arena);
    is_parsed(c, with, arena);
}

static void test_join(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/reads_join.cases", check) > 0);
}

static void test_left_alone(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/reads_left.cases", check) > 0);
}

static void test_filter(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/reads_filter.cases", check) > 0);
}

static void test_proposals(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/reads_proposals.cases", check) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_proposals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
