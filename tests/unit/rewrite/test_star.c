/* hide_tenant_column: what * becomes, and what is noted where it cannot. */
#include "tests/unit/rewrite/cases.c.inc"

static const char *note_of(const Decision *decision) {
    const char *note = NULL;

    for (int i = 0; i < decision->nstatements && !note; i++)
        note = decision->statements[i].rewrite_note;
    return note;
}

/* "=": the rewritten text; "!": a part of the note, without "=" the text unchanged; ".": unchanged, no note.
 */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const char *sent = case_rewritten(c, decision, arena);
    const char *expected = c->text, *note = note_of(decision), *noted = NULL;
    bool rewritten = false;

    for (int i = 0; i < c->nexpected; i++) {
        if (c->expected[i][0] == '=')
            expected = c->expected[i] + 2;
        else if (c->expected[i][0] == '!')
            noted = c->expected[i] + 2;
    }
    if (strcmp(sent, expected) != 0)
        case_fail(c, "is not sent as expected", expected, sent);
    if ((noted && (!note || !strstr(note, noted))) || (!noted && note))
        case_fail(c, "has another note", noted ? noted : "none", note);
    for (int i = 0; i < decision->nstatements; i++)
        rewritten |= decision->statements[i].rewritten;
    assert_int_equal(rewritten, expected != c->text);
    assert_int_equal(decision->literals_matter, false);
}

static void test_lists(void **state) {
    (void)state;
    assert_true(cases_run(CASES_DIR "star_list.cases", check) > 0);
}

static void test_statements(void **state) {
    (void)state;
    assert_true(cases_run(CASES_DIR "star_statements.cases", check) > 0);
}

/* The rewritten text, of a snapshot in which table `lines` lacks its last column or not. */
static const char *rewritten(Arena *arena, const char *text, bool lacks) {
    static const SessionContext context = {.search_path = "public", .search_path_known = true};
    Snapshot *snapshot = cases_snapshot();
    Table *lines = (Table *)snapshot_table(snapshot, "public", "lines");
    const Case c = {.text = text};
    const Facts *facts;
    const char *sent;
    Error err;

    if (lacks) {
        lines->ncolumns--;
        lines->tenant = NULL;
        lines->stage = STAGE_OBSERVE;
    }
    facts = facts_parse(arena, str_of(text), (FactsLimits){0}, &err);
    assert_non_null(facts);
    sent = case_rewritten(&c, decide(arena, str_of(text), facts, snapshot, &context), arena);
    snapshot_unref(snapshot);
    return sent;
}

static void test_column_not_added_yet(void **state) {
    static const char *const texts[] = {
        "SELECT * FROM lines",
        "SELECT * FROM lines l, orders",
        "SELECT * FROM lines x(a, b, c)",
        "SELECT * FROM orders NATURAL JOIN lines WHERE store_id = 5",
        "SELECT * FROM orders JOIN lines USING (order_id) WHERE store_id = 5",
        "DELETE FROM lines RETURNING *",
        "COPY lines TO STDOUT",
        "TABLE lines",
    };
    Arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *before = rewritten(arena, texts[i], true);

        assert_string_not_equal(before, texts[i]);
        assert_string_equal(before, rewritten(arena, texts[i], false));
    }
    arena_free(arena);
}

/* A text that would become gigabytes is sent as it is, as are those that a linear look at each part of which
 * would take minutes. */
static void test_bounds(void **state) {
    static const struct {
        const char *first, *repeated, *last;
        int n;
    } texts[] = {
        {"SELECT 1", ",l.*", " FROM lines l", 50000},
        {"SELECT 1", ",*", " FROM lines l", 50000},
        {"SELECT 1", ", (SELECT x FROM (SELECT * FROM lines) s)", "", 5000},
        {"SELECT * FROM lines l", ", lines", "", 50000},
        {"SELECT * FROM lines l", " NATURAL JOIN lines", "", 800},
        {"SELECT * FROM lines l", " FULL JOIN lines USING (order_id)", "", 800},
        {"SELECT s.* FROM lines l", ", LATERAL (SELECT x.*) s", "", 5000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        Arena *arena = arena_new();
        Buf text = {0};
        size_t len;

        buf_append_cstr(&text, texts[i].first);
        for (int k = 0; k < texts[i].n; k++)
            buf_append_cstr(&text, texts[i].repeated);
        buf_append_cstr(&text, texts[i].last);
        len = buf_len(&text);
        buf_put_u8(&text, 0);
        assert_true(strlen(rewritten(arena, (const char *)buf_ptr(&text), false)) < len + (8 << 20));
        buf_free(&text);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_column_not_added_yet),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
