/* UTF-8: the edges of every range, at every distance from a block of eight, and positions. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define BYTES(literal)                                                                                       \
    { (literal), sizeof(literal) - 1 }

static const Str valid[] = {
    BYTES("\x01"),
    BYTES("\x7f"),
    BYTES("\xc2\x80"),
    BYTES("\xdf\xbf"),
    BYTES("\xe0\xa0\x80"),
    BYTES("\xed\x9f\xbf"),
    BYTES("\xee\x80\x80"),
    BYTES("\xef\xbf\xbf"),
    BYTES("\xec\x80\x80"),
    BYTES("\xe1\x80\xbf"),
    BYTES("\xf0\x90\x80\x80"),
    BYTES("\xf4\x8f\xbf\xbf"),
    BYTES("\xf1\x80\x80\x80"),
    BYTES("\xf3\xbf\xbf\xbf"),
};

static const Str invalid[] = {
    BYTES("\0"),
    BYTES("\x80"),
    BYTES("\xbf"),
    BYTES("\xc0\x80"),
    BYTES("\xc1\xbf"),
    BYTES("\xc2"),
    BYTES("\xc2\x7f"),
    BYTES("\xc2\xc0"),
    BYTES("\xe0\x9f\xbf"),
    BYTES("\xe1\x80"),
    BYTES("\xe1\x80\xc0"),
    BYTES("\xe1"),
    BYTES("\xed\xa0\x80"),
    BYTES("\xed\xbf\xbf"),
    BYTES("\xe1\x7f\x80"),
    BYTES("\xf0\x8f\xbf\xbf"),
    BYTES("\xf4\x90\x80\x80"),
    BYTES("\xf5\x80\x80\x80"),
    BYTES("\xf1\x80\x80"),
    BYTES("\xf1"),
    BYTES("\xf1\x80"),
    BYTES("\xf1\x80\x80\xc0"),
    BYTES("\xf1\x80\x7f\x80"),
    BYTES("\xf8\x88\x80\x80\x80"),
    BYTES("\xfe"),
    BYTES("\xff"),
};

/* The text behind `before` and ahead of `behind` letters, in a block of exactly its size. The caller frees
 * ptr. */
static Str embed(Str text, size_t before, size_t behind) {
    size_t len = before + text.len + behind;
    char *copy = mem_alloc(len);

    memset(copy, 'a', len);
    memcpy(copy + before, text.ptr, text.len);
    return (Str){copy, len};
}

static void check_everywhere(Str text, bool expected) {
    for (size_t before = 0; before < 18; before++) {
        for (size_t behind = 0; behind < 18; behind++) {
            Str whole = embed(text, before, behind);

            if (utf8_valid(whole) != expected)
                fail_msg("bytes %02x… behind %zu, ahead of %zu letters", (unsigned char)text.ptr[0], before,
                         behind);
            if (expected)
                assert_int_equal(utf8_count(whole), before + behind + 1);
            free((char *)whole.ptr);
        }
    }
}

static void test_valid(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(valid); i++)
        check_everywhere(valid[i], true);
    assert_true(utf8_valid(STR_NONE));
}

static void test_invalid(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
        check_everywhere(invalid[i], false);
}

/* Encodes by the definition, for comparison: every code point, surrogates too. */
static size_t encode(uint32_t c, char *out) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static void test_every_code_point(void **state) {
    char text[4];

    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        bool expected = c != 0 && !(c >= 0xD800 && c <= 0xDFFF) && c <= 0x10FFFF;

        if (utf8_valid((Str){text, encode(c, text)}) != expected)
            fail_msg("U+%04X", c);
    }
}

static void test_positions(void **state) {
    static const char *const characters[] = {"a", "\xc3\xa9", "b", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    size_t offsets[200];
    size_t n = 0;
    char text[800] = "";

    (void)state;
    for (; n < ARRAY_LEN(offsets) - 1; n++) {
        offsets[n] = strlen(text);
        /* Runs of ASCII longer than a block in between. */
        strcat(text, n % 50 < 25 ? "." : characters[n % ARRAY_LEN(characters)]);
    }
    offsets[n] = strlen(text);
    for (size_t i = 0; i <= n; i++) {
        assert_int_equal(utf8_offset(str_of(text), i), offsets[i]);
        assert_int_equal(utf8_count((Str){text, offsets[i]}), i);
    }
    assert_int_equal(utf8_offset(str_of(text), n + 1), strlen(text));
    assert_int_equal(utf8_offset(str_of(text), SIZE_MAX), strlen(text));
    assert_int_equal(utf8_offset(STR_NONE, 5), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
