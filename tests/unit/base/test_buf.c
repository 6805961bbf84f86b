/* Byte buffers: content in order however it is appended and consumed, memory given back, integers. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_content(const Buf *b, const char *bytes, size_t len) {
    assert_int_equal(buf_len(b), len);
    assert_memory_equal(buf_ptr(b), bytes, len);
}

/* A stream of counted bytes goes through in pieces of all sizes. */
static void test_stream(void **state) {
    uint32_t random = 12345;
    uint8_t in = 0, out = 0;
    Buf b = {0};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t piece[300];
        size_t n, take;

        random = random * 1664525 + 1013904223;
        n = (random >> 8) % sizeof(piece);
        for (size_t k = 0; k < n; k++)
            piece[k] = in++;
        buf_append(&b, piece, n);
        take = (random >> 16) % (buf_len(&b) + 1);
        for (size_t k = 0; k < take; k++)
            if (buf_ptr(&b)[k] != out++)
                fail_msg("step %d", i);
        buf_consume(&b, take);
    }
    assert_in_range(b.cap, 1, 64 * 1024);
    buf_free(&b);
}

static void test_append(void **state) {
    Buf b = {0};

    (void)state;
    assert_null(buf_ptr(&b));
    buf_append(&b, NULL, 0);
    buf_append_str(&b, STR_NONE);
    assert_int_equal(buf_len(&b), 0);
    buf_append_str(&b, STR_LIT("ab"));
    buf_append_cstr(&b, "cd");
    buf_put_cstr(&b, "ef");
    buf_printf(&b, "%d", 5);
    check_content(&b, "abcdef\0005", 8);
    buf_consume(&b, 0);
    buf_consume(&b, 3);
    check_content(&b, "def\0005", 5);
    buf_consume(&b, 5);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

static void test_integers(void **state) {
    Buf b = {0};

    (void)state;
    buf_put_u8(&b, 0x80);
    buf_put_u16(&b, 0x8001);
    buf_put_u32(&b, 0x80010203);
    check_content(&b, "\x80\x80\x01\x80\x01\x02\x03", 7);
    buf_free(&b);
}

static void test_printf_of_any_length(void **state) {
    Buf b = {0};

    (void)state;
    for (int len = 1; len < 3000; len += 7) {
        size_t before = buf_len(&b);

        buf_printf(&b, "%0*d", len, 1);
        assert_int_equal(buf_len(&b), before + (size_t)len);
        assert_int_equal(buf_ptr(&b)[buf_len(&b) - 1], '1');
        buf_consume(&b, buf_len(&b) / 2);
    }
    buf_free(&b);
}

static void test_reserve(void **state) {
    Buf b = {0};
    uint8_t *where;

    (void)state;
    assert_null(buf_reserve(&b, 0));
    for (size_t room = 1; room < 100000; room *= 3) {
        where = buf_reserve(&b, room);
        memset(where, 'x', room);
        b.end += room - room / 4;
        assert_ptr_equal(where + (room - room / 4), buf_ptr(&b) + buf_len(&b));
        buf_consume(&b, room / 2);
    }
    for (size_t i = 0; i < buf_len(&b); i++)
        assert_int_equal(buf_ptr(&b)[i], 'x');
    buf_free(&b);
}

static void test_memory_is_given_back(void **state) {
    char page[BUF_KEEP_MAX];
    Buf b = {0};

    (void)state;
    memset(page, 'x', sizeof(page));
    buf_append(&b, page, sizeof(page));
    buf_clear(&b);
    assert_int_equal(buf_len(&b), 0);
    assert_int_equal(b.cap, BUF_KEEP_MAX);
    buf_append(&b, page, sizeof(page));
    buf_append(&b, page, 1);
    assert_true(b.cap > BUF_KEEP_MAX);
    buf_consume(&b, 5);
    buf_clear(&b);
    assert_int_equal(b.cap, 0);
    assert_null(b.data);
    buf_append(&b, page, 1);
    check_content(&b, page, 1);
    buf_free(&b);
    assert_null(b.data);
    buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),   cmocka_unit_test(test_append),
        cmocka_unit_test(test_integers), cmocka_unit_test(test_printf_of_any_length),
        cmocka_unit_test(test_reserve),  cmocka_unit_test(test_memory_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
