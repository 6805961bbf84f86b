/* Findings: which of them keep a migration from beginning, in which order they are shown, and how. */
#include "migrate/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static Finding finding(Severity severity, Stage from, const char *object, const char *code) {
    return (Finding){.severity = severity, .from = from, .code = code, .object = object, .what = "it is so"};
}

static void errors_of_later_stages_are_warnings(void **state) {
    static const struct {
        Severity severity;
        Stage from, to;
        Severity becomes;
    } CASES[] = {
        {FINDING_ERROR, STAGE_DERIVE, STAGE_DERIVE, FINDING_ERROR},
        {FINDING_ERROR, STAGE_KEYED, STAGE_DERIVE, FINDING_WARNING},
        {FINDING_ERROR, STAGE_KEYED, STAGE_RESOLVE, FINDING_ERROR},
        {FINDING_ERROR, STAGE_DISTRIBUTED, STAGE_RESOLVE, FINDING_WARNING},
        {FINDING_WARNING, STAGE_DISTRIBUTED, STAGE_DERIVE, FINDING_WARNING},
        {FINDING_WARNING, STAGE_DERIVE, STAGE_DISTRIBUTED, FINDING_WARNING},
        {FINDING_NOTE, STAGE_DISTRIBUTED, STAGE_DERIVE, FINDING_NOTE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Migration migration = {.arena = arena_new(), .to = CASES[i].to};
        Findings findings = {.migration = &migration};

        findings_add(&findings, finding(CASES[i].severity, CASES[i].from, "x", "y"));
        assert_int_equal(findings.n, 1);
        assert_int_equal(findings.items[0].severity, CASES[i].becomes);
        assert_int_equal(findings.errors, CASES[i].becomes == FINDING_ERROR);
        arena_free(migration.arena);
    }
}

static void sorted_by_severity_object_and_code(void **state) {
    static const char *const EXPECTED[] = {"error a 2", "error b 1", "warning a 1", "note a 1", "note a 2"};
    Migration migration = {.arena = arena_new(), .to = STAGE_DISTRIBUTED};
    Findings findings = {.migration = &migration};

    (void)state;
    findings_sort(&findings);
    findings_add(&findings, finding(FINDING_NOTE, STAGE_DERIVE, "a", "2"));
    findings_add(&findings, finding(FINDING_ERROR, STAGE_DERIVE, "b", "1"));
    findings_add(&findings, finding(FINDING_NOTE, STAGE_DERIVE, "a", "1"));
    findings_add(&findings, finding(FINDING_ERROR, STAGE_KEYED, "a", "2"));
    findings_add(&findings, finding(FINDING_WARNING, STAGE_DERIVE, "a", "1"));
    findings_sort(&findings);
    assert_int_equal(findings.n, ARRAY_LEN(EXPECTED));
    for (int i = 0; i < findings.n; i++) {
        const Finding *at = &findings.items[i];

        assert_string_equal(
            arena_printf(migration.arena, "%s %s %s", severity_name(at->severity), at->object, at->code),
            EXPECTED[i]);
    }
    arena_free(migration.arena);
}

static void many_are_kept(void **state) {
    Migration migration = {.arena = arena_new(), .to = STAGE_DISTRIBUTED};
    Findings findings = {.migration = &migration};

    (void)state;
    for (int i = 0; i < 1000; i++)
        findings_add(&findings, finding(FINDING_ERROR, STAGE_DERIVE,
                                        arena_printf(migration.arena, "%03d", 999 - i), "x"));
    findings_sort(&findings);
    assert_int_equal(findings.errors, 1000);
    for (int i = 0; i < 1000; i++)
        assert_string_equal(findings.items[i].object, arena_printf(migration.arena, "%03d", i));
    arena_free(migration.arena);
}

static void printed(void **state) {
    static const struct {
        Finding finding;
        const char *text;
    } CASES[] = {
        {{FINDING_ERROR, STAGE_DERIVE, "c", "public.a", "it is so", "Because.", "Do it."},
         "error: public.a: it is so\n    Because.\n    Do it.\n"},
        {{FINDING_NOTE, STAGE_KEYED, "c", "public.a", "it is so", NULL, NULL},
         "note: public.a: it is so (stage keyed)\n"},
        {{FINDING_WARNING, STAGE_DISTRIBUTED, "c", "server", "100 %s", NULL, "Do."},
         "warning: server: 100 %s (stage distributed)\n    Do.\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        Buf out = {0};

        findings_print(&CASES[i].finding, &out);
        buf_append(&out, "", 1);
        assert_string_equal((const char *)buf_ptr(&out), CASES[i].text);
        buf_free(&out);
    }
}

static void severities_by_name(void **state) {
    Severity severity;

    (void)state;
    for (Severity s = FINDING_ERROR; s <= FINDING_NOTE; s++) {
        assert_true(severity_parse(severity_name(s), &severity));
        assert_int_equal(severity, s);
    }
    assert_false(severity_parse("fatal", &severity));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_later_stages_are_warnings),
        cmocka_unit_test(sorted_by_severity_object_and_code),
        cmocka_unit_test(many_are_kept),
        cmocka_unit_test(printed),
        cmocka_unit_test(severities_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
