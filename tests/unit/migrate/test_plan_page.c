/* Text for a terminal: where it is broken, and that nothing in it reaches the terminal as a control. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "migrate/plan_page.h"

/* What the page prints; to be freed. */
static char *printed(Page *page) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    page_flush(page, out);
    fclose(out);
    return text;
}

static void assert_printed(Page *page, const char *wanted) {
    char *text = printed(page);

    assert_string_equal(text, wanted);
    free(text);
}

static void test_wrap(void **state) {
    Page page = {0};
    char words[400] = "", long_word[151];
    char *text;

    (void)state;
    page_wrap(&page, 2, "why: ", "%s", "in one line");
    assert_printed(&page, "  why: in one line\n");
    for (int i = 0; i < 60; i++)
        strcat(words, "é5 x ");
    page_wrap(&page, 4, "why: ", "%s", words);
    text = printed(&page);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(utf8_count(str_of(line)) <= PAGE_COLUMNS);
        assert_memory_equal(line, line == text ? "    why: " : "         ", 9);
    }
    free(text);
    memset(long_word, 'w', 150);
    long_word[150] = '\0';
    page_wrap(&page, 0, "", "a %s b", long_word);
    text = printed(&page);
    assert_int_equal(strlen(text), 2 + 151 + 2);
    free(text);
}

static void test_lines(void **state) {
    Page page = {0};
    char line[220];

    (void)state;
    page_lines(&page, 2, "SQL: ", "", 3);
    assert_printed(&page, "");
    page_lines(&page, 2, "SQL: ", "a;\n  b;\n", 3);
    assert_printed(&page, "  SQL: a;\n         b;\n");
    page_lines(&page, 2, "SQL: ", "a;\nb;\nc;\nd;\n", 2);
    assert_printed(&page, "  SQL: a;\n       b;\n       … 2 more lines: --sql or --json has all of it\n");
    memset(line, 'x', sizeof(line));
    line[60] = ' ';
    line[sizeof(line) - 1] = '\0';
    page_lines(&page, 0, "", line, 9);
    line[60] = '\0';
    {
        char *text = printed(&page);

        assert_int_equal(strncmp(text, line, 60), 0);
        assert_memory_equal(text + 60, "\n    xxx", 8);
        free(text);
    }
}

static void test_controls(void **state) {
    Page plain = {0}, colored = {.color = true};

    (void)state;
    page_color(&plain, PAGE_RED);
    page_printf(&plain, "a\033[2Jb\tc\x7f\xc2\x9b\xc3\xa9\n");
    assert_printed(&plain, "a\\x1b[2Jb\\x09c\\x7f\\x9b\xc3\xa9\n");
    page_color(&colored, PAGE_RED);
    page_printf(&colored, "\033x");
    page_color(&colored, PAGE_PLAIN);
    assert_printed(&colored, "\033[31m\\x1bx\033[0m");
}

static void test_figures(void **state) {
    Arena *arena = arena_new();
    static const struct {
        double low, high;
        const char *text;
    } ranges[] = {{-1, -1, "not known: run ANALYZE"},
                  {0, 0, "a moment"},
                  {0.4, 2.6, "0 – 3 s"},
                  {20, 119, "20 – 119 s"},
                  {60, 360, "1 – 6 min"},
                  {3600, 18000, "1.0 – 5.0 h"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        assert_string_equal(page_range(arena, ranges[i].low, ranges[i].high), ranges[i].text);
    assert_string_equal(page_count(arena, -1), "?");
    assert_string_equal(page_count(arena, 0), "0");
    assert_string_equal(page_count(arena, 999), "999");
    assert_string_equal(page_count(arena, 1000), "1,000");
    assert_string_equal(page_count(arena, INT64_MAX), "9,223,372,036,854,775,807");
    assert_string_equal(page_bytes(arena, 8192), "8192 B");
    assert_string_equal(page_bytes(arena, 144703488), "138 MB");
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
