/* INSERT … VALUES: the text that is sent, or the note that says why it is the client's own. */
#include "tests/unit/rewrite/cases.c.inc"

/* "=": the rewritten text, lines joined; "!": a part of the note, the text unchanged; ".": unchanged, no
 * note. */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const char *sent = case_rewritten(c, decision, arena);
    const char *note = NULL, *expected = NULL;
    char mark = c->expected[0][0];

    for (int i = 0; i < decision->nstatements && !note; i++)
        note = decision->statements[i].rewrite_note;
    for (int i = 0; i < c->nexpected && mark == '='; i++)
        expected =
            arena_printf(arena, "%s%s%s", expected ? expected : "", expected ? "\n" : "", c->expected[i] + 2);
    if (strcmp(sent, expected ? expected : c->text) != 0)
        case_fail(c, "is not sent as expected", expected ? expected : c->text, sent);
    if (mark == '!' && (!note || !strstr(note, c->expected[0] + 2)))
        case_fail(c, "has another note", c->expected[0] + 2, note);
    if (mark != '!' && note)
        case_fail(c, "has a note", "none", note);
    assert_int_equal(decision->literals_matter, false);
    for (uint32_t i = 0; i <= strlen(sent); i++)
        assert_true(edits_map_back(&decision->edits, str_of(c->text), i) <= strlen(c->text));
}

static void test_values(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/insert_values.cases", check) > 0);
}

static void test_left(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/insert_left.cases", check) > 0);
}

static void test_names(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/insert_names.cases", check) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
