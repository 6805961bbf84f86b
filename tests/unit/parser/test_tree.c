/* The parser's tree as it is handed over, beside what libpg_query says without that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parser/facts.h"
#include "parser/facts_tree.h"

typedef struct Seen {
    int visits;
    size_t statements;
    uint64_t fingerprint;
} Seen;

static void see(const PgQuery__ParseResult *tree, uint64_t fingerprint, void *arg) {
    Seen *seen = arg;
    seen->visits++;
    seen->statements = tree->n_stmts;
    seen->fingerprint = fingerprint;
}

static const char *const texts[] = {
    "SELECT 1",
    "SELECT a, b FROM t WHERE c = 5 AND d IN (1, 2, 3) ORDER BY 1; -- end",
    "INSERT INTO t (a) VALUES (1), (2) ON CONFLICT DO NOTHING RETURNING *",
    "WITH x AS (SELECT 1) SELECT * FROM x JOIN y USING (z)",
    "CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 'x')",
    "SELECT 1; SELECT 2",
    "",
    " ; ",
};

static void test_same_as_the_library(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error err;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        Seen seen = {0}, unnamed = {0};
        assert_true(facts_tree_visit(arena, texts[i], true, see, &seen, &err));
        assert_true(facts_tree_visit(arena, texts[i], false, see, &unnamed, &err));
        assert_int_equal(seen.visits, 1);
        assert_int_equal(unnamed.visits, 1);
        assert_int_equal(unnamed.fingerprint, 0);
        PgQueryProtobufParseResult packed = pg_query_parse_protobuf(texts[i]);
        PgQuery__ParseResult *tree = pg_query__parse_result__unpack(NULL, packed.parse_tree.len,
                                                                    (const uint8_t *)packed.parse_tree.data);
        assert_non_null(tree);
        assert_int_equal(seen.statements, tree->n_stmts);
        assert_int_equal(unnamed.statements, tree->n_stmts);
        pg_query__parse_result__free_unpacked(tree, NULL);
        pg_query_free_protobuf_parse_result(packed);
        PgQueryFingerprintResult fingerprint = pg_query_fingerprint(texts[i]);
        if (seen.statements == 1)
            assert_int_equal(seen.fingerprint, fingerprint.fingerprint);
        pg_query_free_fingerprint_result(fingerprint);
    }
    arena_free(arena);
}

static void test_errors(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Seen seen = {0};
    Error err;
    assert_false(facts_tree_visit(arena, "SELECT FROM WHERE", true, see, &seen, &err));
    assert_int_equal(seen.visits, 0);
    assert_string_equal(err.sqlstate, SQLSTATE_SYNTAX_ERROR);
    assert_string_equal(err.detail, "At character 13.");
    assert_true(facts_tree_visit(arena, "SELECT 1", true, see, &seen, &err));
    assert_int_equal(seen.visits, 1);
    arena_free(arena);
}

static void test_unnamed(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error err;
    const Facts *named = facts_parse(arena, STR_LIT("SELECT 1; SELECT a FROM b"), (FactsLimits){0}, &err);
    const Facts *unnamed =
        facts_parse_unnamed(arena, STR_LIT("SELECT 1; SELECT a FROM b"), (FactsLimits){0}, &err);
    assert_non_null(named);
    assert_non_null(unnamed);
    for (int i = 0; i < 2; i++) {
        assert_int_not_equal(named->statements[i].fingerprint, 0);
        assert_int_equal(unnamed->statements[i].fingerprint, 0);
        assert_int_equal(unnamed->statements[i].span.start, named->statements[i].span.start);
    }
    assert_int_not_equal(named->statements[0].fingerprint, named->statements[1].fingerprint);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_library),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_unnamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
