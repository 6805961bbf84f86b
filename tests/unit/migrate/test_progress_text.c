/* Progress in words: what a person reads, and what a terminal must not be told. */
#include "migrate/progress_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "migrate/progress_screen.h"

static const char *text(Buf *out) {
    buf_append(out, "", 1);
    return (const char *)buf_ptr(out);
}

static void numbers(void **state) {
    static const struct {
        int64_t n;
        const char *text;
    } CASES[] = {{0, "0"},
                 {999, "999"},
                 {1000, "1,000"},
                 {123456, "123,456"},
                 {1234567, "1,234,567"},
                 {-1000, "-1,000"},
                 {INT64_MAX, "9,223,372,036,854,775,807"},
                 {INT64_MIN, "-9,223,372,036,854,775,808"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Buf out = {0};

        progress_text_number(CASES[i].n, &out);
        assert_string_equal(text(&out), CASES[i].text);
        buf_free(&out);
    }
}

static void durations(void **state) {
    static const struct {
        int64_t seconds;
        const char *text;
    } CASES[] = {{0, "0:00"},       {7, "0:07"},        {754, "12:34"},           {3599, "59:59"},
                 {3600, "1:00:00"}, {11045, "3:04:05"}, {86400, "1 day 0:00:00"}, {183845, "2 days 3:04:05"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Buf out = {0};

        progress_text_duration(CASES[i].seconds, &out);
        assert_string_equal(text(&out), CASES[i].text);
        buf_free(&out);
    }
}

static void what_fits(void **state) {
    static const struct {
        const char *in;
        int columns;
        const char *out;
        int used;
    } CASES[] = {
        {"", 5, "", 0},
        {"orders", 10, "orders", 6},
        {"orders", 3, "ord", 3},
        {"orders", 0, "", 0},
        {"a\033[2Jb\n\tc", 20, "a?[2Jb??c", 9},
        {"\x7f\xC2\x9B", 5, "??", 2},
        {"gr\xC3\xB6\xC3\x9F", 3, "gr\xC3\xB6", 3},
        {"\xE6\xB3\xA8\xE6\x96\x87", 3, "\xE6\xB3\xA8", 2},
        {"\xE6\xB3\xA8\xE6\x96\x87", 4, "\xE6\xB3\xA8\xE6\x96\x87", 4},
        {"\xF0\x9F\x9A\xA2!", 3, "\xF0\x9F\x9A\xA2!", 3},
        {"cut \xE6\xB3", 10, "cut ??", 6},
        {"\xFF\xC3", 10, "??", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Buf out = {0};

        assert_int_equal(progress_text_fit(CASES[i].in, CASES[i].columns, &out), CASES[i].used);
        assert_string_equal(text(&out), CASES[i].out);
        buf_free(&out);
    }
}

static void what_is_copied(void **state) {
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } CASES[] = {
        {"", 1, ""},
        {"abc", 4, "abc"},
        {"abc", 3, "ab"},
        {"abc", 1, ""},
        {"a\xC3\xB6", 4, "a\xC3\xB6"},
        {"a\xC3\xB6", 3, "a"},
        {"a\xC3\xB6", 2, "a"},
        {"\xF0\x9F\x9A\xA2!", 4, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        char to[8];

        memset(to, 'x', sizeof(to));
        progress_text_copy(to, CASES[i].size, CASES[i].in);
        assert_string_equal(to, CASES[i].out);
    }
}

static const ProgressView FILL = {.what = "fill store_id in public.line_items",
                                  .step = 8,
                                  .steps = 30,
                                  .elapsed_ms = 12345,
                                  .done = 450000,
                                  .total = 1000000,
                                  .unit = "rows",
                                  .rate = 12300,
                                  .batch = 5000};
static const ProgressView BUILD = {.what = "build an index",
                                   .step = 1,
                                   .steps = 2,
                                   .elapsed_ms = 61000,
                                   .phase = "waiting for writers before build",
                                   .done = -1,
                                   .total = -1,
                                   .rate = -1,
                                   .blocked_by = "pid 7 (app, user u, idle): UPDATE \033[2J"};

static void as_lines(void **state) {
    ProgressView view = FILL;
    Buf out = {0};

    (void)state;
    progress_text_line(&view, &out);
    buf_append_cstr(&out, "\n");
    view.total = -1;
    view.limit = 500;
    view.waiting_for = "standby x is 12 ms behind";
    progress_text_line(&view, &out);
    buf_append_cstr(&out, "\n");
    progress_text_line(&BUILD, &out);
    assert_string_equal(text(&out), "fill store_id in public.line_items: 450,000 of 1,000,000 rows (45 %), "
                                    "12,300 a second, 5,000 in a batch, "
                                    "0:45 left\n"
                                    "fill store_id in public.line_items: 450,000 rows, 12,300 a second "
                                    "(limit 500), 5,000 in a batch; waiting: "
                                    "standby x is 12 ms behind\n"
                                    "build an index: 1:01 so far; waiting for writers before build; blocked "
                                    "by pid 7 (app, user u, idle): UPDATE "
                                    "?[2J");
    buf_free(&out);
}

static void as_bars(void **state) {
    ProgressView view = FILL;
    Buf out = {0};

    (void)state;
    progress_text_bars(&view, 110, false, &out);
    progress_text_bars(&view, 40, false, &out);
    progress_text_bars(&BUILD, 80, false, &out);
    view.done = view.total + 5;
    progress_text_bars(&view, 100, false, &out);
    view.done = 0;
    progress_text_bars(&view, 100, true, &out);
    assert_string_equal(text(&out), "step 8 of 30  fill store_id in public.line_items\n"
                                    "  [===========>              ]   45 %  450,000 of 1,000,000 rows  "
                                    "12,300 a second  5,000 in a batch  0:45 left\n"
                                    "step 8 of 30  fill store_id in public.li\n"
                                    "  450,000 of 1,000,000 rows  12,300 a se\n"
                                    "step 1 of 2  build an index\n"
                                    "  1:01 so far\n"
                                    "  waiting for writers before build\n"
                                    "  blocked by pid 7 (app, user u, idle): UPDATE ?[2J\n"
                                    "step 8 of 30  fill store_id in public.line_items\n"
                                    "  [=========================]  100 %  1,000,005 of 1,000,000 rows  "
                                    "12,300 a second  5,000 in a batch\n"
                                    "\033[1mstep 8 of 30  fill store_id in public.line_items\033[0m\n"
                                    "  [\033[32m                      \033[0m]    0 %  0 of 1,000,000 rows  "
                                    "12,300 a second  5,000 in a batch  1:22 left\n");
    buf_free(&out);
}

/* Whatever the numbers and the width: no line is wider. */
static void no_line_is_too_wide(void **state) {
    ProgressView view = FILL;

    (void)state;
    view.waiting_for =
        "\xE6\xB3\xA8\xE6\x96\x87\xE6\xB3\xA8\xE6\x96\x87\xE6\xB3\xA8\xE6\x96\x87\xE6\xB3\xA8\xE6\x96\x87";
    view.blocked_by = "a long story of somebody who does not come to an end, whatever one does about it";
    for (int width = 20; width < 200; width++) {
        Buf out = {0};
        int length = 0;

        progress_text_bars(&view, width, false, &out);
        for (size_t i = 0; i < buf_len(&out); i++) {
            length = buf_ptr(&out)[i] == '\n' ? 0 : length + ((buf_ptr(&out)[i] & 0xC0) != 0x80);
            assert_true(length <= width);
        }
        assert_int_equal(progress_screen_rows(&out, width), 4);
        buf_free(&out);
    }
}

static void rows_of_a_screen(void **state) {
    static const struct {
        const char *lines;
        int columns, rows;
    } CASES[] = {
        {"", 80, 0},
        {"\n", 80, 1},
        {"abc\n", 3, 1},
        {"abcd\n", 3, 2},
        {"abcdefg\nx\n", 3, 4},
        {"\033[1mabc\033[0m\n", 3, 1},
        {"\xC3\xB6\xC3\xB6\xC3\xB6\n", 3, 1},
        {"\033[31", 3, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Buf lines = {0};

        buf_append_cstr(&lines, CASES[i].lines);
        assert_int_equal(progress_screen_rows(&lines, CASES[i].columns), CASES[i].rows);
        buf_free(&lines);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(what_fits),
        cmocka_unit_test(what_is_copied),
        cmocka_unit_test(as_lines),
        cmocka_unit_test(as_bars),
        cmocka_unit_test(no_line_is_too_wide),
        cmocka_unit_test(rows_of_a_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
