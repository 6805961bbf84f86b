/* Arenas: alignment, zeroes, no two objects on the same bytes, reset. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const size_t sizes[] = {0,     1,     15,    16,    17,    100,   991,   992,
                               993,   1000,  1008,  1023,  1024,  1025,  4096,  32768,
                               65000, 65503, 65504, 65505, 65535, 65536, 65537, 300000};

static bool is_filled(const uint8_t *p, size_t size, uint8_t with) {
    for (size_t i = 0; i < size; i++)
        if (p[i] != with)
            return false;
    return true;
}

/* Every pair of sizes, each object filled: what one object gets, no other changes. */
static void test_objects_apart(void **state) {
    Arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t j = 0; j < ARRAY_LEN(sizes); j++) {
            uint8_t *a = arena_alloc(arena, sizes[i]);
            uint8_t *b = arena_alloc(arena, sizes[j]);

            assert_int_equal((uintptr_t)a % ARENA_ALIGN, 0);
            assert_int_equal((uintptr_t)b % ARENA_ALIGN, 0);
            assert_true(is_filled(a, sizes[i], 0) && is_filled(b, sizes[j], 0));
            memset(a, 'a', sizes[i]);
            memset(b, 'b', sizes[j]);
            assert_true(is_filled(a, sizes[i], 'a'));
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void test_texts(void **state) {
    Arena *arena = arena_new();

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char *text = arena_printf(arena, "%0*d", i, 7);
        char *copy = arena_strndup(arena, text, strlen(text) / 2);
        Str str = arena_str(arena, (Str){text, strlen(text)});

        assert_int_equal(strlen(text), i > 0 ? i : 1);
        assert_int_equal(strlen(copy), strlen(text) / 2);
        assert_true(str_is(str, text));
        assert_int_equal(str.ptr[str.len], '\0');
        assert_true(is_filled(arena_alloc(arena, 24), 24, 0));
    }
    assert_string_equal(arena_strdup(arena, "text"), "text");
    assert_string_equal(arena_str(arena, STR_NONE).ptr, "");
    arena_free(arena);
}

/* The same work over and over takes no more memory than it did once the kept chunk had grown to fit it. */
static void test_reset_keeps_one_chunk(void **state) {
    Arena *arena = arena_new();
    size_t sizes_seen[10];

    (void)state;
    for (size_t round = 0; round < ARRAY_LEN(sizes_seen); round++) {
        for (int i = 0; i < 100; i++)
            memset(arena_alloc(arena, 500), 'x', 500);
        sizes_seen[round] = arena_size(arena);
        arena_reset(arena);
        assert_true(arena_size(arena) <= sizes_seen[round]);
    }
    for (size_t round = 4; round < ARRAY_LEN(sizes_seen); round++)
        assert_int_equal(sizes_seen[round], sizes_seen[3]);
    arena_free(arena);
}

static void test_size(void **state) {
    Arena *arena = arena_new();
    size_t empty = arena_size(arena);
    void *large;

    (void)state;
    large = arena_alloc(arena, 2 * ARENA_KEEP_MAX);
    assert_non_null(large);
    assert_in_range(arena_size(arena), 2 * ARENA_KEEP_MAX, 2 * ARENA_KEEP_MAX + 1024);
    arena_reset(arena);
    assert_int_equal(arena_size(arena), empty);
    arena_free(arena);
    arena_free(NULL);
}

static void test_macros(void **state) {
    Arena *arena = arena_new();
    uint64_t *one = ARENA_NEW(arena, uint64_t);
    uint64_t *many = ARENA_ARRAY(arena, uint64_t, 1000);

    (void)state;
    assert_true(*one == 0);
    assert_true(is_filled((uint8_t *)many, 1000 * sizeof(uint64_t), 0));
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_apart),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_reset_keeps_one_chunk),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_macros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
