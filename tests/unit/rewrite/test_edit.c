/* Splices: applied, mapped back, moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rewrite/edit.h"

static const Str original = STR_LIT("INSERT INTO t (a) VALUES (17)");

/* ", b" behind a, and ", f(17)" behind the cell, in another order than they apply. */
static EditList make_list(Arena *arena) {
    EditList list = {0};

    edits_insert(&list, arena, 28, STR_LIT(", f("));
    edits_insert_copy(&list, arena, 28, (Span){26, 28});
    edits_insert(&list, arena, 28, STR_LIT(")"));
    edits_insert(&list, arena, 16, STR_LIT(", b"));
    edits_sort(&list);
    return list;
}

static void assert_text(const EditList *list, Str text, const char *expected) {
    Buf out = {0};

    edits_apply(list, text, &out);
    assert_int_equal(buf_len(&out), strlen(expected));
    assert_memory_equal(buf_ptr(&out), expected, strlen(expected));
    buf_free(&out);
}

static void test_apply(void **state) {
    Arena *arena = arena_new();
    EditList list = make_list(arena), none = {0}, replaced = {0};

    (void)state;
    assert_text(&list, original, "INSERT INTO t (a, b) VALUES (17, f(17))");
    assert_text(&none, original, original.ptr);
    edits_insert(&replaced, arena, 26, STR_LIT("x"));
    edits_remove(&replaced, arena, (Span){26, 28});
    edits_insert(&replaced, arena, 28, STR_LIT("y"));
    edits_sort(&replaced);
    assert_text(&replaced, original, "INSERT INTO t (a) VALUES (xy)");
    arena_free(arena);
}

static void test_sort_is_stable(void **state) {
    Arena *arena = arena_new();
    EditList list = {0};
    char expected[64] = "";

    (void)state;
    for (int i = 0; i < 26; i++)
        edits_insert(&list, arena, (uint32_t)(25 - i) / 5, (Str){arena_printf(arena, "%c", 'a' + i), 1});
    edits_sort(&list);
    for (int at = 0; at <= 5; at++) {
        for (int i = 0; i < 26; i++) {
            if ((25 - i) / 5 == at)
                strncat(expected, (char[]){(char)('a' + i), 0}, 2);
        }
        strncat(expected, (char[]){(char)(at < 5 ? '0' + at : 0), 0}, 2);
    }
    assert_text(&list, STR_LIT("01234"), expected);
    arena_free(arena);
}

static void test_map_back(void **state) {
    static const struct {
        uint32_t sent, original;
    } cases[] = {
        {0, 0},   {15, 15}, {16, 16},           /* ", b" was inserted at 16 */
        {18, 16}, {19, 16}, {20, 17}, {29, 26}, /* the cell */
        {30, 27}, {31, 28}, {34, 28},           /* ", f(" */
        {35, 26}, {36, 27},                     /* the copy points to what it is a copy of */
        {37, 28}, {38, 28}, {39, 29}, {400, 29},
    };
    Arena *arena = arena_new();
    EditList list = make_list(arena);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(edits_map_back(&list, original, cases[i].sent), cases[i].original);
    arena_free(arena);
}

static void test_move(void **state) {
    const Span from[] = {{26, 28}}, to[] = {{26, 32}};
    Arena *arena = arena_new();
    EditList list = make_list(arena), moved = edits_move(&list, arena, from, to, 1);

    (void)state;
    assert_text(&moved, STR_LIT("INSERT INTO t (a) VALUES ('1234')"),
                "INSERT INTO t (a, b) VALUES ('1234', f('1234'))");
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_sort_is_stable),
        cmocka_unit_test(test_map_back),
        cmocka_unit_test(test_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
