/* Contexts: equal values share one, a number is never used twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/context.h"

static const char *const ONE_TWO[] = {"one", "two"};
static const char *const TWO_ONE[] = {"two", "one"};
static const char *const ONETWO[] = {"onetwo"};

/* Each differs from all others. */
static const SessionContext VALUES[] = {
    {.search_path = NULL, .search_path_known = false},
    {.search_path = "", .search_path_known = true},
    {.search_path = "public", .search_path_known = true},
    {.search_path = "public", .role = "app", .search_path_known = true},
    {.search_path = "publicapp", .search_path_known = true},
    {.search_path = "public, app", .search_path_known = true},
    {.search_path = "public",
     .search_path_known = true,
     .temp_tables = true,
     .temp_names = ONE_TWO,
     .ntemp_names = 1},
    {.search_path = "public",
     .search_path_known = true,
     .temp_tables = true,
     .temp_names = ONE_TWO,
     .ntemp_names = 2},
    {.search_path = "public",
     .search_path_known = true,
     .temp_tables = true,
     .temp_names = TWO_ONE,
     .ntemp_names = 1},
    {.search_path = "public",
     .search_path_known = true,
     .temp_tables = true,
     .temp_names = ONETWO,
     .ntemp_names = 1},
    {.search_path = "public", .role = "one", .search_path_known = true},
    {.search_path = "public", .search_path_known = true, .has_tenant = true},
    {.search_path_known = false, .has_tenant = true},
    {.search_path_known = false, .temp_tables = true, .temp_names = ONE_TWO, .ntemp_names = 2},
};

static void check_values(const SessionContext *made, const SessionContext *given) {
    assert_int_equal(made->search_path_known, given->search_path_known);
    assert_int_equal(made->temp_tables, given->temp_tables);
    assert_int_equal(made->has_tenant, given->has_tenant);
    assert_int_equal(made->ntemp_names, given->ntemp_names);
    if (given->search_path_known)
        assert_string_equal(made->search_path, given->search_path);
    if (given->role)
        assert_string_equal(made->role, given->role);
    else
        assert_null(made->role);
    for (int i = 0; i < given->ntemp_names; i++)
        assert_string_equal(made->temp_names[i], given->temp_names[i]);
}

static void interns(void **state) {
    ContextTable table = {0};
    Context *made[ARRAY_LEN(VALUES)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(VALUES); i++) {
        made[i] = context_get(&table, &VALUES[i]);
        assert_int_equal(made[i]->number, i + 1);
        check_values(&made[i]->session, &VALUES[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(VALUES); i++) {
        Context *again = context_get(&table, &VALUES[i]);
        assert_ptr_equal(again, made[i]);
        assert_int_equal(again->references, 2);
        context_unref(&table, again);
    }
    for (size_t i = 0; i < ARRAY_LEN(VALUES); i++)
        context_unref(&table, made[i]);
    assert_int_equal(HASH_COUNT(table.contexts), 0);
}

/* A path that is not known is one context, whatever it was before. */
static void unknown_path_is_one(void **state) {
    ContextTable table = {0};
    Context *a = context_get(&table, &(SessionContext){.search_path = "x", .search_path_known = false});
    Context *b = context_get(&table, &(SessionContext){.search_path = "y", .search_path_known = false});

    (void)state;
    assert_ptr_equal(a, b);
    context_unref(&table, a);
    context_unref(&table, b);
}

/* What is asked for may be changed and freed after the call. */
static void copies_strings(void **state) {
    ContextTable table = {0};
    char path[] = "public", role[] = "app", temp[] = "scratch";
    const char *const temps[] = {temp};
    Context *c = context_get(&table, &(SessionContext){.search_path = path,
                                                       .role = role,
                                                       .search_path_known = true,
                                                       .temp_tables = true,
                                                       .temp_names = temps,
                                                       .ntemp_names = 1});

    (void)state;
    memset(path, 'x', sizeof path - 1);
    memset(role, 'x', sizeof role - 1);
    memset(temp, 'x', sizeof temp - 1);
    assert_string_equal(c->session.search_path, "public");
    assert_string_equal(c->session.role, "app");
    assert_string_equal(c->session.temp_names[0], "scratch");
    context_unref(&table, c);
}

/* Plans are found by the number: one that was let go must not come back for other values, or for the same. */
static void numbers_are_not_reused(void **state) {
    ContextTable table = {0};
    uint32_t last = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        Context *c = context_get(&table, &VALUES[i % 3]);
        assert_true(c->number > last);
        last = c->number;
        context_unref(&table, c);
        assert_int_equal(HASH_COUNT(table.contexts), 0);
    }
    context_unref(&table, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interns),
        cmocka_unit_test(unknown_path_is_one),
        cmocka_unit_test(copies_strings),
        cmocka_unit_test(numbers_are_not_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
