/* Verdicts. Most of these statements were planned by Citus 13.2, which agrees. */
#include "tests/unit/rewrite/cases.c.inc"

/* "#": the verdict, then the unscoped tables; "?": a part of the reason; "+": of the suggestion; "t": the
 * tables; "l": literals matter. */
static const char *summary(const StatementDecision *s, Arena *arena) {
    const char *text = verdict_name(s->verdict);

    for (int i = 0; i < s->nunscoped; i++)
        text = arena_printf(arena, "%s %s", text, s->unscoped[i]);
    return text;
}

static const char *tables(const StatementDecision *s, Arena *arena) {
    const char *text = "";

    for (int i = 0; i < s->ntables; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? " " : "", s->tables[i]);
    return text;
}

static void check(const Case *c, const Decision *decision, Arena *arena) {
    const StatementDecision *s = &decision->statements[0];
    bool literals = false;

    assert_int_equal(decision->nstatements, 1);
    for (int i = 0; i < c->nexpected; i++) {
        const char *mark = c->expected[i], *expected = mark + 2;

        if (*mark == '#' && strcmp(summary(s, arena), expected) != 0)
            case_fail(c, "has another verdict", expected, summary(s, arena));
        if (*mark == '?' && (!s->reason || !strstr(s->reason, expected)))
            case_fail(c, "has another reason", expected, s->reason);
        if (*mark == '+' && (!s->suggestion || !strstr(s->suggestion, expected)))
            case_fail(c, "has another suggestion", expected, s->suggestion);
        if (*mark == 't' && strcmp(tables(s, arena), expected) != 0)
            case_fail(c, "names other tables", expected, tables(s, arena));
        literals |= *mark == 'l';
    }
    if (literals != decision->literals_matter)
        case_fail(c, "literals matter", literals ? "yes" : "no", decision->literals_matter ? "yes" : "no");
    if ((s->verdict == VERDICT_MULTI_TENANT || s->verdict == VERDICT_OPAQUE) != (s->reason != NULL))
        case_fail(c, "a reason goes with multi-tenant and opaque", "", s->reason);
}

static void test_reads(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/scope_reads.cases", check) > 0);
}

static void test_writes(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/scope_writes.cases", check) > 0);
}

static void test_statements(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/scope_statements.cases", check) > 0);
}

static void test_folds(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/scope_folds.cases", check) > 0);
}

static void test_shapes(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/scope_shapes.cases", check) > 0);
}

/* A statement of more columns than are followed is not called single-tenant. */
static void test_too_large(void **state) {
    Arena *arena = arena_new();
    Snapshot *snapshot = cases_snapshot();
    const SessionContext context = {.search_path = "public", .search_path_known = true};
    Buf text = {0};
    const Facts *facts;
    const Decision *decision;
    Error err;

    (void)state;
    buf_append_cstr(&text, "SELECT 1 FROM orders o0");
    for (int i = 1; i < 40000; i++)
        buf_printf(&text, ", orders o%d", i);
    buf_put_u8(&text, 0);
    facts = facts_parse(arena, (Str){(char *)buf_ptr(&text), buf_len(&text) - 1}, (FactsLimits){0}, &err);
    assert_non_null(facts);
    decision = decide(arena, (Str){(char *)buf_ptr(&text), buf_len(&text) - 1}, facts, snapshot, &context);
    assert_int_equal(decision->statements[0].verdict, VERDICT_MULTI_TENANT);
    buf_free(&text);
    snapshot_unref(snapshot);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads), cmocka_unit_test(test_writes), cmocka_unit_test(test_statements),
        cmocka_unit_test(test_folds), cmocka_unit_test(test_shapes), cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
