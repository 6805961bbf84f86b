/* UPDATE, the tenants that it carries along, and MERGE. */
#include "tests/unit/rewrite/cases.c.inc"

/* "=": the rewritten text, lines joined, without it the text is unchanged; "!": a part of the note; "^": a
 * part of the refusal's message; "?": a part of its detail; ".": nothing of these. */
static const char *expected_text(const Case *c, Arena *arena) {
    const char *text = NULL;

    for (int i = 0; i < c->nexpected; i++) {
        if (c->expected[i][0] == '=')
            text = arena_printf(arena, "%s%s%s", text ? text : "", text ? "\n" : "", c->expected[i] + 2);
    }
    return text ? text : c->text;
}

static const char *expected_part(const Case *c, char mark) {
    for (int i = 0; i < c->nexpected; i++) {
        if (c->expected[i][0] == mark)
            return c->expected[i] + 2;
    }
    return NULL;
}

static void check_part(const Case *c, const char *what, const char *expected, const char *actual) {
    if (!expected != !actual || (expected && !strstr(actual, expected)))
        case_fail(c, what, expected ? expected : "none", actual);
}

static bool is_rewritten(const Decision *decision) {
    for (int i = 0; i < decision->nstatements; i++) {
        if (decision->statements[i].rewritten)
            return true;
    }
    return false;
}

/* Each place in what is sent maps to one in the client's text. */
static void check_places(const Case *c, const Decision *decision, const char *sent, Arena *arena) {
    Str *slots = ARENA_ARRAY(arena, Str, decision->nslots + 1);
    EditList filled;

    for (int i = 0; i < decision->nslots; i++)
        slots[i] = str_of(arena_printf(arena, "{%d}", i + 1));
    filled = edits_fill(&decision->edits, arena, slots);
    for (uint32_t i = 0; i <= strlen(sent); i++)
        assert_true(edits_map_back(&filled, str_of(c->text), i) <= strlen(c->text));
}

static void check(const Case *c, const Decision *decision, Arena *arena) {
    const char *sent = case_rewritten(c, decision, arena), *text = expected_text(c, arena);
    const StatementDecision *statement = &decision->statements[0];

    if (strcmp(sent, text) != 0)
        case_fail(c, "is not sent as expected", text, sent);
    check_part(c, "has another note", expected_part(c, '!'), statement->rewrite_note);
    check_part(c, "has another refusal", expected_part(c, '^'),
               statement->refusal ? statement->refusal->message : NULL);
    if (expected_part(c, '?'))
        check_part(c, "is refused for another reason", expected_part(c, '?'),
                   statement->refusal ? statement->refusal->detail : NULL);
    assert_int_equal(is_rewritten(decision), strcmp(sent, c->text) != 0);
    check_places(c, decision, sent, arena);
}

static void test_update(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/update.cases", check) > 0);
}

static void test_carry(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/carry.cases", check) > 0);
}

static void test_merge(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/merge.cases", check) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_carry),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
