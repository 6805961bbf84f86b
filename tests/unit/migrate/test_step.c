/* The steps as they present themselves: SQL that must come out right for any name. */
#include "migrate/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void literals(void **state) {
    static const char *const CASES[][2] = {
        {"", "''"},       {"public", "'public'"}, {"it's", "'it''s'"},
        {"''", "''''''"}, {"a\\b", "'a\\b'"},     {"\xC3\xA4", "'\xC3\xA4'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Buf out = {0};

        step_literal(&out, CASES[i][0]);
        assert_int_equal(buf_len(&out), strlen(CASES[i][1]));
        assert_memory_equal(buf_ptr(&out), CASES[i][1], buf_len(&out));
        buf_free(&out);
    }
}

static void every_step_is_complete(void **state) {
    static const Step *const STEPS[] = {&step_schema, &step_enrol,       &step_column,
                                        &step_derive, &step_acknowledge, &step_settle};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
        assert_non_null(STEPS[i]->name);
        assert_non_null(STEPS[i]->describe);
        assert_non_null(STEPS[i]->script);
        assert_non_null(STEPS[i]->undo);
        assert_non_null(STEPS[i]->check);
        assert_non_null(STEPS[i]->run);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(STEPS[i]->name, STEPS[j]->name);
    }
}

static void names_are_quoted(void **state) {
    const Table table = {.schema = "Odd \"one\"", .name = "select", .tenant_column = "Store Id"};
    Migration migration = {.arena = arena_new()};
    Buf out = {0};

    (void)state;
    step_column.describe(&migration, &table, &out);
    buf_append_cstr(&out, "\n");
    step_not_null.describe(&migration, &table, &out);
    buf_append(&out, "", 1);
    assert_string_equal((const char *)buf_ptr(&out),
                        "add column \"Store Id\" to \"Odd \"\"one\"\"\".\"select\"\n"
                        "set \"Store Id\" NOT NULL in \"Odd \"\"one\"\"\".\"select\"");
    buf_free(&out);
    arena_free(migration.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals),
        cmocka_unit_test(every_step_is_complete),
        cmocka_unit_test(names_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
