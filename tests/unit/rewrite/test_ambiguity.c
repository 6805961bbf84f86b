/* What a new tenant column would make ambiguous, or mean another column. */
#include "tests/unit/rewrite/cases.c.inc"

static const char *note_of(const Decision *decision) {
    const char *note = NULL;

    for (int i = 0; i < decision->nstatements && !note; i++)
        note = decision->statements[i].rewrite_note;
    return note;
}

/* "=": the rewritten text; "!": a part of the note, the text unchanged; ".": unchanged, no note. */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const char *sent = case_rewritten(c, decision, arena);
    const char *expected = c->expected[0][0] == '=' ? c->expected[0] + 2 : c->text, *note = note_of(decision);
    const char *noted = c->expected[0][0] == '!' ? c->expected[0] + 2 : NULL;

    assert_int_equal(c->nexpected, 1);
    if (strcmp(sent, expected) != 0)
        case_fail(c, "is not sent as expected", expected, sent);
    if ((noted && (!note || !strstr(note, noted))) || (!noted && note))
        case_fail(c, "has another note", noted ? noted : "none", note);
}

static void test_names_and_joins(void **state) {
    (void)state;
    assert_true(cases_run(CASES_DIR "ambiguity.cases", check) > 0);
}

/* The rewritten text, of a snapshot in which line_items lacks its last column or not. */
static const char *rewritten(Arena *arena, const char *text, bool lacks) {
    static const SessionContext context = {.search_path = "public", .search_path_known = true};
    Snapshot *snapshot = cases_snapshot();
    Table *items = (Table *)snapshot_table(snapshot, "public", "line_items");
    const Case c = {.text = text};
    const Facts *facts;
    const char *sent;
    Error err;

    items->stage = STAGE_OBSERVE;
    items->staged = items->staged_backfill = !lacks;
    if (lacks) {
        items->ncolumns--;
        items->tenant = NULL;
    }
    facts = facts_parse(arena, str_of(text), (FactsLimits){0}, &err);
    assert_non_null(facts);
    sent = case_rewritten(&c, decide(arena, str_of(text), facts, snapshot, &context), arena);
    snapshot_unref(snapshot);
    return sent;
}

/* The text does not change when the column is added. */
static void test_column_not_added_yet(void **state) {
    static const char *const texts[] = {
        "SELECT 1 FROM line_items l JOIN orders o USING (order_id) WHERE store_id = 5",
        "SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE store_id = 5)",
        "SELECT * FROM orders NATURAL JOIN line_items WHERE store_id = 5",
        "SELECT * FROM orders JOIN line_items USING (order_id) JOIN stores USING (store_id)",
        "SELECT 1 AS store_id FROM line_items GROUP BY store_id",
        "SELECT * FROM orders o JOIN line_items l USING (order_id) ORDER BY store_id",
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

/* A table that has had the column all the time is another matter: what is ambiguous was so before. */
static void test_column_of_old(void **state) {
    static const char *const text = "SELECT 1 FROM orders o NATURAL JOIN line_items WHERE store_id = 5";
    static const SessionContext context = {.search_path = "public", .search_path_known = true};
    Arena *arena = arena_new();
    Snapshot *snapshot = cases_snapshot();
    Error err;

    (void)state;
    ((Table *)snapshot_table(snapshot, "public", "line_items"))->stage = STAGE_OBSERVE;
    assert_int_equal(decide(arena, str_of(text), facts_parse(arena, str_of(text), (FactsLimits){0}, &err),
                            snapshot, &context)
                         ->edits.nedits,
                     0);
    snapshot_unref(snapshot);
    arena_free(arena);
}

/* Texts whose every part would be looked at from every other end all the same. */
static void test_bounds(void **state) {
    static const struct {
        const char *first, *repeated, *last;
        int n;
    } texts[] = {
        {"SELECT 1", ", store_id", " FROM line_items JOIN orders USING (order_id)", 50000},
        {"SELECT 1 FROM line_items JOIN orders USING (order_id)", ", line_items", " WHERE store_id = 5",
         20000},
        {"SELECT 1 FROM orders", " NATURAL JOIN line_items", "", 800},
        {"SELECT store_id FROM orders", " JOIN line_items USING (store_id)", "", 800},
        {"SELECT 1 FROM orders, line_items WHERE 1 = 1",
         " OR EXISTS (SELECT 1 FROM line_items WHERE store_id = 1)", "", 5000},
        {"WITH RECURSIVE a AS (SELECT * FROM a", ", a", ") SELECT store_id FROM a, line_items", 50},
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
        cmocka_unit_test(test_names_and_joins),
        cmocka_unit_test(test_column_not_added_yet),
        cmocka_unit_test(test_column_of_old),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
