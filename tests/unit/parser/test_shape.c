/* Shapes: what is a literal and what is not, texts without a shape, moving offsets, equal facts of equal
 * shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dump.h"
#include "parser/shape.h"

static void shapes(void **state) {
    static const char *const cases[][2] = {
        {"", ""},
        {"SELECT 1", "SELECT 0"},
        {"SELECT 2147483647, 2147483648, 0002147483647, 1.5, 1., .5, 1e5, 1.5E-3",
         "SELECT 0, 0.0, 0, 0.0, 0.0, .0, 0.0, 0.0"},
        {"SELECT.5, a1, a$1, a$b$c, _1, é1, $1, $23", "SELECT.0, a1, a$1, a$b$c, _1, é1, $1, $23"},
        {"a[1..2], a[1:2], -1, +1, 1-2, 1--2", "a[0..0], a[0:0], -0, +0, 0-0, 0--"},
        {"'a''b' E'\\'' e'\\\\' n'x' U&'y' B'01' x'1F'", "'?' E'?' E'?' n'?' U&'?' B'?' X'?'"},
        {"u&E'x' u&$$x$$ u&'x'", "u&E'?' u&$$?$$ U&'?'"},
        {"'a'\n 'b' -- c\n 'd' 'e'", "'?' '?'"},
        {"E'a'\n'\\'' 1", "E'?' 0"},
        {"'a\\' 1", "'?' 0"},
        {"$$1$$ $a$'$$'$a$ $a$ $b$ $a$ $é$1$é$", "$$?$$ $$?$$ $$?$$ $$?$$"},
        {"\"1\"\"2\" \"it's\" 1", "\"1\"\"2\" \"it's\" 0"},
        {"/* 1 /* '2 */ 3 */ 4 -- 5 '\n6 --\r--", "/**/ 0 --\n0 --\r--"},
        {"a---b\n-1/**/*/*c*/2//*d*//-- e", "a--\n-0/**/*/**/0//**//--"},
        {"1*/*2*/3, 1+--2\n3, a@-1, a <-'x'", "0*/**/0, 0+--\n0, a@-0, a <-'?'"},
        {"B'0''1'", "B'?''?'"},
        {"$1E'a' $1.5 $$a$$E'b' 'a'E'b' $ 5 $a 5 a.5 a..5 a...5",
         "$1E'?' $1.0 $$?$$E'?' '?'E'?' $ 0 $a 0 a.0 "
         "a..0 a...0"},
        {"xu&'a' u &'a' x&'a' ae'a' 1-- 2\n3 4/5 6-7 \"a\"e'\\''", "xu&'?' u &'?' x&'?' ae'?' 0--\n0 0/0 0-0 "
                                                                   "\"a\"E'?'"},
    };
    Shape shape = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(shape_of(&shape, str_of(cases[i][0])));
        if (!str_is(shape.text, cases[i][1]))
            fail_msg("%s\nbecame %.*s\nnot    %s", cases[i][0], STR_ARG(shape.text), cases[i][1]);
        for (int k = 0; k < shape.nliterals; k++)
            assert_true(shape.literals[k].start < shape.literals[k].end);
    }
    shape_free(&shape);
}

/* Wherever a literal stands, and however much stands behind it. */
static void anywhere(void **state) {
    char blanks[49];
    Shape shape = {0};

    (void)state;
    memset(blanks, ' ', sizeof(blanks));
    for (int before = 0; before < (int)sizeof(blanks); before++) {
        for (int behind = 0; behind < (int)sizeof(blanks); behind++) {
            char *text = mem_printf("%.*s'it''s' a12 \"7\",%.*s42", before, blanks, behind, blanks);
            char *expected = mem_printf("%.*s'?' a12 \"7\",%.*s0", before, blanks, behind, blanks);

            assert_true(shape_of(&shape, str_of(text)));
            assert_true(str_is(shape.text, expected));
            assert_int_equal(shape.nliterals, 2);
            assert_int_equal(shape.literals[0].start, before);
            assert_int_equal(shape.literals[0].end, before + 7);
            assert_int_equal(shape.literals[1].start, before + 16 + behind);
            assert_int_equal(shape.literals[1].end, strlen(text));
            free(text);
            free(expected);
        }
    }
    shape_free(&shape);
}

static void no_shape(void **state) {
    static const Str texts[] = {
        STR_LIT("SELECT 'a"),
        STR_LIT("SELECT E'a\\'"),
        STR_LIT("SELECT \"a"),
        STR_LIT("SELECT $$a$"),
        STR_LIT("SELECT /* /* */"),
        STR_LIT("SELECT 1 /* a"),
        STR_LIT("SELECT 1x"),
        STR_LIT("SELECT 0x1F"),
        STR_LIT("SELECT 1_000"),
        STR_LIT("SELECT 1\0 FROM t"),
        STR_LIT("SELECT 'a'\n'b"),
        STR_LIT("SELECT 1e+"),
        STR_LIT("SELECT U&\"a!0061\" UESCAPE '!'"),
    };
    Shape shape = {0};
    Buf many = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (shape_of(&shape, texts[i]))
            fail_msg("%.*s has a shape", STR_ARG(texts[i]));
    for (int i = 0; i < SHAPE_MAX_LITERALS; i++)
        buf_append_cstr(&many, "1,");
    assert_true(shape_of(&shape, (Str){(char *)buf_ptr(&many), buf_len(&many)}));
    assert_int_equal(shape.nliterals, SHAPE_MAX_LITERALS);
    buf_append_cstr(&many, "1");
    assert_false(shape_of(&shape, (Str){(char *)buf_ptr(&many), buf_len(&many)}));
    buf_free(&many);
    shape_free(&shape);
}

static void offsets_move(void **state) {
    Str text = STR_LIT("a 1 b 'x' c"), other = STR_LIT("a 12345 b '' c");
    /* Of the text, of the other. */
    static const uint32_t pairs[][2] = {{0, 0},  {1, 1},  {2, 2},  {3, 7},  {4, 8},
                                        {6, 10}, {7, 10}, {8, 10}, {9, 12}, {11, 14}};
    static const uint32_t close[][2] = {{0, 0}, {1, 1}, {6, 5}, {7, 6}, {10, 8}, {11, 9}};
    Shape from = {0}, to = {0};

    (void)state;
    assert_true(shape_of(&from, text) && shape_of(&to, other));
    assert_true(from.hash == to.hash && str_eq(from.text, to.text) && from.nliterals == to.nliterals);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_int_equal(shape_map(from.literals, to.literals, from.nliterals, pairs[i][0]), pairs[i][1]);
    assert_int_equal(shape_map(NULL, NULL, 0, 5), 5);

    /* Before and behind a comment that stands close to its neighbours. */
    assert_true(shape_of(&from, STR_LIT("a/*1*/b--c\nd")) && shape_of(&to, STR_LIT("a/**/b--\nd")));
    assert_true(from.hash == to.hash && str_eq(from.text, to.text) && from.nliterals == to.nliterals);
    for (size_t i = 0; i < ARRAY_LEN(close); i++)
        assert_int_equal(shape_map(from.literals, to.literals, from.nliterals, close[i][0]), close[i][1]);
    shape_free(&from);
    shape_free(&to);
}

static bool facts_text(Str text, Buf *out) {
    Arena *arena = arena_new();
    Dump dump = {out, text, false};
    Error err;
    const Facts *facts = facts_parse(arena, text, (FactsLimits){0}, &err);

    if (facts)
        dump_facts(&dump, facts);
    arena_free(arena);
    return facts != NULL;
}

static const char *any_literal(unsigned *seed, bool string) {
    static const char *const strings[] = {"''", "'a'", "'it''s -- '", "'\\'", "'$$'", "'\"(,'", "'a'\n'b'"};
    static const char *const numbers[] = {"0", "7", "42", "0017", "2147483647"};

    *seed = *seed * 1103515245u + 12345u;
    return string ? strings[(*seed >> 16) % ARRAY_LEN(strings)] : numbers[(*seed >> 16) % ARRAY_LEN(numbers)];
}

static const char *any_comment(unsigned *seed) {
    static const char *const comments[] = {"/**/", "/* it's */", "/*a='b',c='%20'*/", "/*+ x /* y */ (1 */",
                                           "/*--*/"};

    *seed = *seed * 1103515245u + 12345u;
    return comments[(*seed >> 16) % ARRAY_LEN(comments)];
}

/* `template` with a number for each #, a string for each @, a comment for each ~. */
static void fill(Buf *out, const char *template, unsigned *seed) {
    for (; *template; template ++) {
        if (*template == '~')
            buf_append_cstr(out, any_comment(seed));
        else if (*template == '#' || *template == '@')
            buf_append_cstr(out, any_literal(seed, *template == '@'));
        else
            buf_append(out, template, 1);
    }
    buf_put_u8(out, 0);
    out->end--;
}

static void same_shape_same_facts(void **state) {
    static const char *const templates[] = {
        "SELECT * FROM t WHERE a = # AND b IN (#, @, #) AND c LIKE @ OR d BETWEEN # AND #",
        "SELECT a + # AS x, -#, (@)::int, f(#, @) FROM t JOIN u ON t.a = # LIMIT # OFFSET #",
        "INSERT INTO t (a, b) VALUES (#, @), (f(#), (SELECT @)), (-#, @ || @) ON CONFLICT (a) DO UPDATE SET "
        "b = @",
        "WITH x AS (INSERT INTO t VALUES (@) RETURNING #) UPDATE u SET a = @, (b, c) = (#, @) WHERE d = #",
        "DELETE FROM t WHERE a = # AND b = ANY (ARRAY[#, #]) /* 1 'x */ -- it's 1\n AND c = @",
        "SELECT #; INSERT INTO t VALUES (@); EXECUTE p (#, @)",
        "~SELECT~a~.~b, 1~+~# FROM t~,(~VALUES(~#~,@~))~v(a,b)WHERE~a~=~@~-- ~\nORDER BY #~",
        "INSERT INTO t~(a~,b~)VALUES(~#~,@)~;~",
    };
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 600; i++) {
        Buf texts[2] = {{0}, {0}}, facts[2] = {{0}, {0}};
        Shape shape[2] = {{0}, {0}};
        Str text[2];

        for (int k = 0; k < 2; k++) {
            fill(&texts[k], templates[i % (int)ARRAY_LEN(templates)], &seed);
            text[k] = (Str){(char *)buf_ptr(&texts[k]), buf_len(&texts[k])};
            assert_true(shape_of(&shape[k], text[k]));
            assert_true(facts_text(text[k], &facts[k]));
        }
        assert_true(shape[0].hash == shape[1].hash && str_eq(shape[0].text, shape[1].text));
        assert_int_equal(shape[0].nliterals, shape[1].nliterals);
        assert_int_equal(buf_len(&facts[0]), buf_len(&facts[1]));
        assert_memory_equal(buf_ptr(&facts[0]), buf_ptr(&facts[1]), buf_len(&facts[0]));
        for (int k = 0; k < 2; k++) {
            buf_free(&texts[k]);
            buf_free(&facts[k]);
            shape_free(&shape[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(anywhere),
        cmocka_unit_test(no_shape),
        cmocka_unit_test(offsets_move),
        cmocka_unit_test(same_shape_same_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
