/* Facts: the cases of facts_cases.txt, errors, limits, and that facts stand on their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dump.h"

#define CASES "tests/unit/parser/facts_cases.txt"

static Str buf_str(const Buf *b) { return (Str){(const char *)buf_ptr(b), buf_len(b)}; }

/* Facts of a copy of the text that is gone when they are dumped. */
static void dump_text(Str sql, Buf *out) {
    Arena *arena = arena_new();
    char *copy = mem_alloc(sql.len + 1);
    Dump dump = {out, sql, true};
    const Facts *facts;
    Error err;

    memcpy(copy, sql.ptr, sql.len);
    copy[sql.len] = '\0';
    facts = facts_parse(arena, (Str){copy, sql.len}, (FactsLimits){0}, &err);
    free(copy);
    if (facts)
        dump_facts(&dump, facts);
    else
        buf_printf(out, "%s %s\n", err.sqlstate, err.message);
    arena_free(arena);
}

/* A case: lines of SQL with "> " before them, then the dump up to an empty line. Lines with "#" are comments.
 */
static bool next_case(FILE *file, Buf *sql, Buf *expected) {
    char line[4096];
    bool any = false;

    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#' || (line[0] == '\n' && !any))
            continue;
        if (line[0] == '\n')
            return true;
        any = true;
        if (strncmp(line, "> ", 2) == 0)
            buf_append_cstr(sql, line + 2);
        else
            buf_append_cstr(expected, line);
    }
    return any;
}

static void cases(void **state) {
    FILE *file = fopen(CASES, "r");
    int ncases = 0, nfailed = 0;

    (void)state;
    assert_non_null(file);
    for (;; ncases++) {
        Buf sql = {0}, expected = {0}, got = {0};
        bool found = next_case(file, &sql, &expected);

        if (found) {
            dump_text((Str){(const char *)buf_ptr(&sql), buf_len(&sql) - 1}, &got);
            if (!str_eq(buf_str(&got), buf_str(&expected))) {
                nfailed++;
                print_message("%.*s--- expected\n%.*s--- got\n%.*s\n", STR_ARG(buf_str(&sql)),
                              STR_ARG(buf_str(&expected)), STR_ARG(buf_str(&got)));
            }
        }
        buf_free(&sql);
        buf_free(&expected);
        buf_free(&got);
        if (!found)
            break;
    }
    fclose(file);
    assert_int_equal(nfailed, 0);
    assert_true(ncases > 40);
}

static bool parses(Str text, FactsLimits limits, Error *err) {
    Arena *arena = arena_new();
    bool parsed = facts_parse(arena, text, limits, err) != NULL;

    arena_free(arena);
    return parsed;
}

/* before, then `n` times part, then behind. */
static void repeat(Buf *b, const char *before, const char *part, int n, const char *behind) {
    buf_free(b);
    buf_append_cstr(b, before);
    for (int i = 0; i < n; i++)
        buf_append_cstr(b, part);
    buf_append_cstr(b, behind);
    buf_put_u8(b, 0);
    b->end--;
}

/* Texts that grow a tree's depth with each repetition are refused, from about the limit on. */
static void depth_is_limited(void **state) {
    static const char *const parts[][3] = {
        {"SELECT 1", "+1", ""},
        {"SELECT ", "(", "1"},
        {"SELECT ", "- ", "1"},
        {"SELECT ", "NOT ", "true"},
        {"SELECT 1", "::int", ""},
        {"SELECT a", " COLLATE \"C\"", ""},
        {"SELECT a", " AT TIME ZONE 'x'", ""},
        {"SELECT a", " IS NULL", ""},
        {"SELECT ", "CASE WHEN a.end THEN ", "1"},
        {"SELECT ", "ARRAY[", "1"},
        {"SELECT 1", " UNION SELECT 1, 2", ""},
        {"SELECT 1 FROM t", " JOIN t ON a AND b", ""},
        {"SELECT 1", " BETWEEN 1 AND 2 IS NULL", ""},
        {"SELECT t.and", " + t.and", ""},
        {"SELECT t.and", " /*,*/+ t . /* */ and", ""},
        {"SELECT 'a'", "||'a,'", ""},
        {"SELECT a", " @-'(' @ $$,$$", ""},
        {"", "CREATE FUNCTION f() BEGIN ATOMIC ", ""},
    };
    Buf b = {0};
    Error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        repeat(&b, parts[i][0], parts[i][1], 1001, parts[i][2]);
        assert_false(parses(buf_str(&b), (FactsLimits){.max_depth = 1000}, &err));
        assert_string_equal(err.sqlstate, "54000");
    }
    buf_free(&b);
}

/* Long texts with flat trees are parsed. */
static void breadth_is_not_limited(void **state) {
    static const char *const parts[][3] = {
        {"INSERT INTO t VALUES (0)", ", (-1 + 2, 'a' || 'b', CASE WHEN a = 1 THEN b ELSE c END)", ""},
        {"SELECT * FROM t WHERE a = 1", " OR a = -2 AND b = 3 + 4", ""},
        {"SELECT * FROM t WHERE a IN (1", ", -2", ")"},
        {"SELECT CASE ", " WHEN a = 1 + 2 THEN -b", " ELSE c END"},
        {"SELECT 1", "; SELECT 1 UNION SELECT 2", ""},
        {"SELECT 1 FROM a", ", b", ""},
    };
    Buf b = {0};
    Error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        repeat(&b, parts[i][0], parts[i][1], 3000, parts[i][2]);
        if (!parses(buf_str(&b), (FactsLimits){.max_depth = 100}, &err))
            fail_msg("%s: %s", parts[i][1], err.message);
    }
    buf_free(&b);
}

static void size_is_limited(void **state) {
    Error err;
    Str text = STR_LIT("SELECT 12345");

    (void)state;
    assert_true(parses(text, (FactsLimits){.max_bytes = text.len}, &err));
    assert_false(parses(text, (FactsLimits){.max_bytes = text.len - 1}, &err));
    assert_string_equal(err.sqlstate, "54000");
}

/* The parser's output has the source of SET (a, b, …) = once for each column. */
static void repetition_is_limited(void **state) {
    Buf b = {0};
    Error err;

    (void)state;
    repeat(&b, "UPDATE t SET (a", ", a", 2000, ") = (SELECT 1");
    for (int i = 0; i < 2000; i++)
        buf_append_cstr(&b, ", 1");
    buf_append_cstr(&b, ")");
    buf_put_u8(&b, 0);
    b.end--;
    assert_false(parses(buf_str(&b), (FactsLimits){0}, &err));
    assert_string_equal(err.sqlstate, "54000");

    repeat(&b, "SELECT ", "(WITH x AS (UPDATE t SET (a, b) = ", 30, "1");
    assert_false(parses(buf_str(&b), (FactsLimits){0}, &err));
    assert_string_equal(err.sqlstate, "54000");

    repeat(&b, "UPDATE t SET (a, b, c) = (v.a, v.b, v.c) FROM (VALUES (1, 2, 3)", ", (4, 5, 6)", 50000,
           ") v(a, b, c)");
    assert_true(parses(buf_str(&b), (FactsLimits){0}, &err));
    buf_free(&b);
}

static void nul_is_refused(void **state) {
    Error err;

    (void)state;
    assert_false(parses(STR_LIT("SELECT 1\0; DROP TABLE t"), (FactsLimits){0}, &err));
    assert_string_equal(err.sqlstate, "42601");
}

static void fingerprint_ignores_literals(void **state) {
    static const char *const same[][2] = {
        {"SELECT * FROM t WHERE a = 1", "select  *\nfrom t where a = 'x' -- c"},
        {"SELECT * FROM t WHERE a IN (1, 2)", "SELECT * FROM t WHERE a IN (1, 2, 3)"},
        {"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1), (2)"},
    };
    Arena *arena = arena_new();
    const Facts *two;
    Error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        const Facts *a = facts_parse(arena, str_of(same[i][0]), (FactsLimits){0}, &err);
        const Facts *b = facts_parse(arena, str_of(same[i][1]), (FactsLimits){0}, &err);

        assert_true(a->statements[0].fingerprint == b->statements[0].fingerprint);
        assert_true(a->statements[0].fingerprint != 0);
    }
    /* Each statement has the one that it has alone. */
    two = facts_parse(arena, STR_LIT(" SELECT 1; INSERT INTO t VALUES (1) ; "), (FactsLimits){0}, &err);
    assert_int_equal(two->nstatements, 2);
    assert_true(two->statements[0].fingerprint != two->statements[1].fingerprint);
    assert_true(two->statements[1].fingerprint ==
                facts_parse(arena, str_of(same[2][0]), (FactsLimits){0}, &err)->statements[0].fingerprint);
    arena_free(arena);
}

static void count(const Block *block, void *arg) {
    int *n = arg;

    n[block->kind]++;
}

static void walk_meets_every_block(void **state) {
    Str text = STR_LIT(
        "EXPLAIN WITH a AS (SELECT (SELECT 1) UNION VALUES (1)) INSERT INTO t SELECT * FROM (SELECT * "
        "FROM a JOIN LATERAL f((SELECT 1)) ON EXISTS (SELECT 1)) s WHERE x = ANY (SELECT 1) GROUP BY "
        "(SELECT 1) HAVING (SELECT true) ORDER BY (SELECT 1) LIMIT (SELECT 1) ON CONFLICT (a) DO UPDATE "
        "SET b = (SELECT 1) WHERE (SELECT true) RETURNING (SELECT 1)");
    Arena *arena = arena_new();
    int n[BLOCK_MERGE + 1] = {0};
    Error err;
    const Facts *facts = facts_parse(arena, text, (FactsLimits){0}, &err);

    (void)state;
    assert_non_null(facts);
    facts_walk_blocks(&facts->statements[0], count, n);
    assert_int_equal(n[BLOCK_INSERT], 1);
    assert_int_equal(n[BLOCK_SETOP], 1);
    assert_int_equal(n[BLOCK_VALUES], 1);
    assert_int_equal(n[BLOCK_SELECT], 14);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(breadth_is_not_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(repetition_is_limited),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(fingerprint_ignores_literals),
        cmocka_unit_test(walk_meets_every_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
