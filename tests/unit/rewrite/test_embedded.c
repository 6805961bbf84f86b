/* Statements in functions: names that columns are in the way of, and what is put in so that none is. */
#include "rewrite/embedded.h"
#include "tests/unit/rewrite/cases.c.inc"

static const FactsVariable order_id = {.name = "order_id", .label = "f", .number = 1};
static const FactsVariable store_id = {.outer = &order_id, .name = "store_id", .label = "f", .number = 2};
static const FactsVariable p1 = {.outer = &store_id, .name = "p1", .number = 3};
static const FactsScope scope = {.variables = &p1};
static const SessionContext context = {
    .search_path = "public", .search_path_known = true, .in_function = true};

static const Facts *parsed(Arena *arena, const char *text) {
    Error err;
    const Facts *facts = facts_parse_in_function(arena, str_of(text), (FactsLimits){0}, &scope, &err);

    assert_non_null(facts);
    return facts;
}

/* Each clash as its place, name, number and table; "*": the column comes with the migration. */
static void test_clashes(void **state) {
    static const char *const cases[][2] = {
        {"SELECT order_id", ""},
        {"SELECT 1 FROM orders WHERE status = 'x' AND order_id = 1", "44 order_id 1 orders\n"},
        {"SELECT 1 FROM orders WHERE f.order_id = 1", ""},
        {"SELECT 1 FROM stores WHERE order_id = 1", ""},
        {"SELECT 1 FROM line_items WHERE store_id = 1", "31 store_id 2 line_items *\n"},
        {"SELECT 1 FROM orders WHERE store_id = 1", "27 store_id 2 orders\n"},
        {"INSERT INTO line_items (order_id) VALUES (order_id)", ""},
        {"INSERT INTO line_items (order_id) VALUES (1) RETURNING store_id", "55 store_id 2 line_items *\n"},
        {"INSERT INTO line_items (order_id) SELECT order_id", ""},
        {"UPDATE line_items SET note = store_id::text", "29 store_id 2 line_items *\n"},
        {"SELECT (SELECT order_id) FROM orders", "15 order_id 1 orders\n"},
        {"SELECT 1 FROM orders o, (SELECT order_id) x", ""},
        {"SELECT 1 FROM orders o, LATERAL (SELECT order_id) x", "40 order_id 1 orders\n"},
        {"WITH w AS (SELECT order_id) SELECT 1 FROM orders, w", ""},
        {"SELECT 1 FROM (SELECT 1 AS order_id) x WHERE order_id = 1", "45 order_id 1 -\n"},
        {"SELECT 1 FROM orders AS o (a, b) WHERE order_id = 1", ""},
        {"SELECT p1.status FROM orders p1", "7 p1 0 -\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Arena *arena = arena_new();
        Snapshot *snapshot = cases_snapshot();
        Str text = str_of(cases[i][0]);
        EmbeddedClashes found =
            embedded_clashes(arena, text, parsed(arena, cases[i][0]), scope.variables, snapshot, &context);
        Buf out = {0};

        for (int n = 0; n < found.n; n++)
            buf_printf(&out, "%u %s %d %s%s\n", found.clashes[n].offset, found.clashes[n].name,
                       found.clashes[n].number, found.clashes[n].table ? found.clashes[n].table->name : "-",
                       found.clashes[n].late ? " *" : "");
        buf_append(&out, "", 1);
        if (strcmp((const char *)buf_ptr(&out), cases[i][1]) != 0)
            fail_msg("%s: expected %s, got %s", text.ptr, cases[i][1], (const char *)buf_ptr(&out));
        buf_free(&out);
        snapshot_unref(snapshot);
        arena_free(arena);
    }
}

typedef const Table *Find(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                          const SessionContext *context);

static void check_found(Find *find, const char *text, const char *expected) {
    Arena *arena = arena_new();
    Snapshot *snapshot = cases_snapshot();
    const Table *found = find(arena, &parsed(arena, text)->statements[0], snapshot, &context);

    if (expected && (!found || strcmp(found->name, expected) != 0))
        fail_msg("%s: %s is not found", text, expected);
    if (!expected && found)
        fail_msg("%s: %s is found", text, found->name);
    snapshot_unref(snapshot);
    arena_free(arena);
}

static void test_moves(void **state) {
    (void)state;
    check_found(embedded_moves, "UPDATE line_items SET order_id = order_id", "line_items");
    check_found(embedded_moves, "UPDATE line_items SET (note, order_id) = ('x', 5)", "line_items");
    check_found(embedded_moves, "UPDATE line_items SET order_id = 5, store_id = 6", NULL);
    check_found(embedded_moves, "UPDATE line_items SET note = 'x'", NULL);
    check_found(embedded_moves, "UPDATE orders SET order_id = 5", NULL);
    check_found(embedded_moves, "WITH w AS (UPDATE line_items SET order_id = 5) SELECT 1", "line_items");
    check_found(
        embedded_moves,
        "INSERT INTO line_items (order_id) VALUES (1) ON CONFLICT (line_item_id) DO UPDATE SET order_id = 2",
        "line_items");
    check_found(
        embedded_moves,
        "MERGE INTO line_items l USING orders o ON l.order_id = o.order_id WHEN MATCHED THEN UPDATE SET "
        "order_id = 5",
        "line_items");
}

static void test_keys(void **state) {
    (void)state;
    check_found(embedded_names_key,
                "INSERT INTO orders (order_id) VALUES (1) ON CONFLICT (order_id) DO NOTHING", "orders");
    check_found(embedded_names_key,
                "INSERT INTO orders (order_id) VALUES (1) ON CONFLICT (order_id, store_id) DO NOTHING", NULL);
    check_found(embedded_names_key, "INSERT INTO orders (order_id) VALUES (1) ON CONFLICT DO NOTHING", NULL);
    check_found(embedded_names_key, "INSERT INTO settings (name) VALUES ('x') ON CONFLICT (name) DO NOTHING",
                NULL);
}

static void test_columns_shown(void **state) {
    (void)state;
    check_found(embedded_shows_column, "SELECT * FROM line_items", "line_items");
    check_found(embedded_shows_column, "SELECT l.* FROM orders o JOIN line_items l USING (order_id)",
                "line_items");
    check_found(embedded_shows_column, "SELECT o.* FROM orders o JOIN line_items l USING (order_id)", NULL);
    check_found(embedded_shows_column, "SELECT * FROM orders", NULL);
    check_found(embedded_shows_column, "SELECT line_item_id, count(*) FROM line_items GROUP BY 1", NULL);
    check_found(embedded_shows_column, "SELECT 1 UNION ALL SELECT * FROM line_items", "line_items");
    check_found(embedded_shows_column, "SELECT 1 FROM (SELECT * FROM line_items) l", NULL);
    check_found(embedded_shows_column, "SELECT l.* FROM (SELECT * FROM line_items) l", "line_items");
}

/* A variable with the name of a parent's column stands where no column is seen; others where they are short.
 */
static void test_put_in(void **state) {
    static const char *const cases[][2] = {
        {"INSERT INTO line_items (order_id) VALUES (f.quantity)",
         "INSERT INTO line_items (order_id, store_id) VALUES (f.quantity, (SELECT p1.store_id FROM ONLY "
         "public.orders "
         "p1 WHERE p1.order_id OPERATOR(pg_catalog.=) CAST(f.quantity AS pg_catalog.int8)))"},
        {"INSERT INTO line_items (order_id) VALUES (ORDER_ID)",
         "INSERT INTO line_items (order_id, store_id) VALUES (ORDER_ID, (SELECT p1.store_id FROM ONLY "
         "public.orders p1 "
         "JOIN (SELECT CAST(ORDER_ID AS pg_catalog.int8)) k(k1) ON p1.order_id OPERATOR(pg_catalog.=) "
         "k.k1))"},
    };
    static const FactsVariable quantity = {.name = "quantity", .label = "f", .number = 4};
    static const FactsVariable outer = {.outer = &quantity, .name = "order_id", .number = 5};
    static const FactsScope both = {.variables = &outer};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Arena *arena = arena_new();
        Snapshot *snapshot = cases_snapshot();
        const Case c = {.text = cases[i][0]};
        Error err;
        const Facts *facts = facts_parse_in_function(arena, str_of(c.text), (FactsLimits){0}, &both, &err);

        assert_non_null(facts);
        assert_string_equal(
            case_rewritten(&c, decide(arena, str_of(c.text), facts, snapshot, &context), arena), cases[i][1]);
        snapshot_unref(snapshot);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clashes), cmocka_unit_test(test_moves),
                                       cmocka_unit_test(test_keys), cmocka_unit_test(test_columns_shown),
                                       cmocka_unit_test(test_put_in)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
