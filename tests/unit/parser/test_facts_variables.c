/* Variables of a function in statements: what means one is a parameter, everything else stays a column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "parser/facts.h"

/* Innermost first: b and the record r of the block blk, then the parameters a and b of f. */
static const FactsVariable param_a = {.name = "a", .label = "f", .number = 1};
static const FactsVariable param_b = {.outer = &param_a, .name = "b", .label = "f", .number = 2};
static const FactsVariable record = {.outer = &param_b, .name = "r", .label = "blk", .number = 3};
static const FactsVariable inner_b = {.outer = &record, .name = "b", .label = "blk", .number = 4};

static void put_expr(const Expr *expr, void *arg) {
    Buf *out = arg;

    if (expr->kind == EXPR_PARAM)
        buf_printf(out, " $%d", expr->number);
    else if (expr->kind == EXPR_COLUMN)
        buf_printf(out, " %s", expr->column);
}

static void put_block(const Block *block, void *arg) { facts_walk_exprs(block, put_expr, arg); }

static void check(const char *text, const uint32_t *columns, int ncolumns, const char *expected) {
    Arena *arena = arena_new();
    const FactsScope scope = {.variables = &inner_b, .columns = columns, .ncolumns = ncolumns};
    Error err;
    const Facts *facts = facts_parse_in_function(arena, str_of(text), (FactsLimits){0}, &scope, &err);
    Buf out = {0};

    assert_non_null(facts);
    for (int i = 0; i < facts->nstatements; i++)
        facts_walk_blocks(&facts->statements[i], put_block, &out);
    buf_append(&out, "", 1);
    if (strcmp((const char *)buf_ptr(&out), expected) != 0)
        fail_msg("%s: expected%s, got%s", text, expected, (const char *)buf_ptr(&out));
    buf_free(&out);
    arena_free(arena);
}

static void test_meanings(void **state) {
    static const char *const cases[][2] = {
        {"SELECT a, b, c", " $1 $4 c"},
        {"SELECT f.a, f.b, blk.b, f.c, g.a", " $1 $2 $4 c a"},
        {"SELECT r.x, r.y, r.x, (r).x, blk.r.y, a.x",
         " $1000001 $1000002 $1000001 $1000001 $1000002 $1000003"},
        {"SELECT x.blk.r.y, $1, $7", " y $1 $7"},
        {"SELECT r.x, f.a FROM r", " x $1"},
        {"SELECT r.x FROM t r JOIN u ON u.y = r.z", " y z x"},
        {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = b AND r.x = a)", " $1 x $4 $1000001 $1"},
        {"SELECT 1 FROM t r WHERE EXISTS (SELECT 1 FROM u WHERE u.x = r.x)", " x x"},
        {"INSERT INTO t (a, b) VALUES (a, b) RETURNING a", " $1 $4 $1"},
        {"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b, a = b + t.a", " a b $4 a"},
        {"UPDATE t SET a = b WHERE a = r.a", " $4 $1 $1000001"},
        {"SELECT x FROM t; SELECT a", " x $1"},
        {"SELECT \"A\", A", " A $1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i][0], NULL, 0, cases[i][1]);
}

static void test_names_of_outputs(void **state) {
    (void)state;
    check("SELECT 1 FROM t GROUP BY a, a + 1", NULL, 0, " a $1");
    check("SELECT 1 FROM t ORDER BY b, b + 1", NULL, 0, " b $4");
    check("SELECT DISTINCT ON (a, f.a) 1 FROM t", NULL, 0, " a $1");
}

static void test_said_to_be_columns(void **state) {
    static const uint32_t columns[] = {7};

    (void)state;
    check("SELECT a, a", columns, 1, " a $1");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_meanings),
                                       cmocka_unit_test(test_names_of_outputs),
                                       cmocka_unit_test(test_said_to_be_columns)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
