/* The audit log: what a reader of the file sees. */
#include "audit/audit_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"

static const AuditLimits LIMITS = {.sample_bytes = 1000};
static const char *const TABLES[] = {"public.orders", "Sales.\"quo\\ted\""};
static const StatementDecision MULTI = {.verdict = VERDICT_MULTI_TENANT,
                                        .tables = TABLES,
                                        .ntables = 2,
                                        .unscoped = TABLES + 1,
                                        .nunscoped = 1,
                                        .reason = "a \"reason\""};

typedef struct Place {
    char directory[64];
    char path[96];
    char old[96];
} Place;

static int make_place(void **state) {
    Place *place = MEM_NEW(Place);
    const char *tmp = getenv("TMPDIR");

    snprintf(place->directory, sizeof(place->directory), "%s/auditlog-XXXXXX",
             tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/audit.log", place->directory);
    snprintf(place->old, sizeof(place->old), "%s/audit.log.1", place->directory);
    *state = place;
    return 0;
}

static int remove_place(void **state) {
    Place *place = *state;

    unlink(place->path);
    unlink(place->old);
    rmdir(place->directory);
    free(place);
    return 0;
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    size_t cap = 4 * 1024 * 1024, len;
    char *text = mem_zalloc(cap);

    assert_non_null(file);
    len = fread(text, 1, cap - 1, file);
    assert_true(len < cap - 1);
    fclose(file);
    return text;
}

static int count_lines(const char *path) {
    char *text = read_file(path);
    int n = 0;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), n++) {
        json_error_t error;
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);

        assert_true(json_is_object(object));
        json_decref(object);
    }
    free(text);
    return n;
}

static AuditLog *open_log(const char *path, AuditLimits limits) {
    Error err = {0};
    AuditLog *log = audit_log_open(path, limits, &err);

    assert_non_null(log);
    return log;
}

static void put(AuditLog *log, uint64_t fingerprint, const StatementDecision *decision, Str text) {
    audit_log_put(log, &(AuditLogRecord){.time_us = 1767323045000678,
                                         .subject = {.fingerprint = fingerprint,
                                                     .decision = decision,
                                                     .text = text,
                                                     .application = "caf\xE9\n",
                                                     .role = "app"},
                                         .database = "shop",
                                         .client = "127.0.0.1:50312"});
}

static void writes_a_line(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    struct stat st;
    char *text;

    put(log, 0x50fde20626009aba, &MULTI, STR_LIT("SELECT \t\x01\x7F'\xC3\xA4' FROM \"x\\y\""));
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_size, 0);
    audit_log_flush(log);
    text = read_file(place->path);
    assert_string_equal(
        text, "{\"time\":\"2026-01-02T03:04:05.000678Z\",\"fingerprint\":\"50fde20626009aba\","
              "\"verdict\":\"multi-tenant\","
              "\"tables\":[\"public.orders\",\"Sales.\\\"quo\\\\ted\\\"\"],\"unscoped\":[\"Sales."
              "\\\"quo\\\\ted\\\"\"],"
              "\"reason\":\"a \\\"reason\\\"\",\"suggestion\":null,\"citus_error\":null,\"note\":null,"
              "\"sql\":\"SELECT \\u0009\\u0001\\u007f'\xC3\xA4' FROM \\\"x\\\\y\\\"\",\"proposed\":null,"
              "\"application_name\":\"caf\xEF\xBF\xBD\\n\",\"user\":\"app\",\"database\":\"shop\","
              "\"client\":\"127.0.0.1:50312\"}\n");
    free(text);
    assert_int_equal(count_lines(place->path), 1);
    audit_log_close(log);
}

static void writes_what_would_be_better(void **state) {
    Place *place = *state;
    AuditLimits limits = {.sample_bytes = 100, .redact = true};
    AuditLog *log = open_log(place->path, limits);
    StatementDecision decision = {
        .verdict = VERDICT_MULTI_TENANT, .citus_error = "complex joins", .proposed = true};
    char *text;

    audit_log_put(log, &(AuditLogRecord){.subject = {.fingerprint = 1,
                                                     .decision = &decision,
                                                     .text = STR_LIT("SELECT 'secret'"),
                                                     .proposed = STR_LIT("SELECT 'secret' AND 'secret'")}});
    audit_log_close(log);
    text = read_file(place->path);
    assert_non_null(strstr(text, "\"citus_error\":\"complex joins\""));
    assert_non_null(strstr(text, "\"sql\":\"SELECT '?'\",\"proposed\":\"SELECT '?' AND '?'\""));
    free(text);
}

static void says_each_shape_once(void **state) {
    static const StatementDecision SINGLE = {.verdict = VERDICT_SINGLE_TENANT};
    static const StatementDecision NONE = {.verdict = VERDICT_NO_TENANT_TABLE};
    static const StatementDecision OPAQUE = {.verdict = VERDICT_OPAQUE, .reason = "a DO block"};
    static const StatementDecision NOTED = {.verdict = VERDICT_SINGLE_TENANT, .rewrite_note = "two paths"};
    static const struct {
        uint64_t fingerprint;
        const StatementDecision *decision;
        int lines;
    } CASES[] = {{1, &SINGLE, 0}, {2, &NONE, 0},   {3, &MULTI, 1}, {3, &MULTI, 1},
                 {4, &MULTI, 2},  {3, &OPAQUE, 3}, {3, &MULTI, 3}, {5, &NOTED, 4}};
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        put(log, CASES[i].fingerprint, CASES[i].decision, STR_LIT("SELECT 1"));
        audit_log_flush(log);
        assert_int_equal(count_lines(place->path), CASES[i].lines);
    }
    audit_log_close(log);
}

static void redacts(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, (AuditLimits){.sample_bytes = 1000, .redact = true});
    char *text;

    put(log, 1, &MULTI, STR_LIT("SELECT 'hunter2', 4711"));
    put(log, 2, &MULTI, STR_LIT("SELECT 'hunter2"));
    audit_log_close(log);
    text = read_file(place->path);
    assert_null(strstr(text, "hunter2"));
    assert_null(strstr(text, "4711"));
    assert_non_null(strstr(text, "\"sql\":\"SELECT "));
    free(text);
    assert_int_equal(count_lines(place->path), 2);
}

static void follows_a_rotation(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    Error err;

    put(log, 1, &MULTI, STR_LIT("SELECT 1"));
    audit_log_flush(log);
    assert_int_equal(rename(place->path, place->old), 0);
    put(log, 2, &MULTI, STR_LIT("SELECT 2"));
    audit_log_flush(log);
    assert_int_equal(count_lines(place->old), 2);
    assert_true(audit_log_reopen(log, &err));
    put(log, 3, &MULTI, STR_LIT("SELECT 3"));
    audit_log_flush(log);
    assert_int_equal(count_lines(place->old), 2);
    assert_int_equal(count_lines(place->path), 1);
    audit_log_close(log);
}

static void keeps_the_file_if_it_cannot_open_another(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    Error err = {0};

    assert_int_equal(rename(place->path, place->old), 0);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_false(audit_log_reopen(log, &err));
    assert_non_null(strstr(err.message, place->path));
    assert_null(audit_log_open(place->path, LIMITS, &err));
    put(log, 1, &MULTI, STR_LIT("SELECT 1"));
    audit_log_close(log);
    assert_int_equal(count_lines(place->old), 1);
    rmdir(place->path);
}

/* Makes every file of this process full at `bytes`. */
static void limit_files(rlim_t bytes) {
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void waits_out_a_full_disk(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    char *text;

    signal(SIGXFSZ, SIG_IGN);
    put(log, 1, &MULTI, STR_LIT("SELECT 1"));
    put(log, 2, &MULTI, STR_LIT("SELECT 2"));
    limit_files(500); /* in the middle of the second line */
    audit_log_flush(log);
    put(log, 3, &MULTI, STR_LIT("SELECT 3"));
    audit_log_flush(log);
    limit_files(RLIM_INFINITY);
    audit_log_flush(log);
    assert_int_equal(count_lines(place->path), 3);
    text = read_file(place->path);
    assert_null(strstr(text, "dropped"));
    free(text);
    audit_log_close(log);
}

static void starts_a_cut_line_again_in_a_new_file(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    Error err;

    signal(SIGXFSZ, SIG_IGN);
    put(log, 1, &MULTI, STR_LIT("SELECT 1"));
    put(log, 2, &MULTI, STR_LIT("SELECT 2"));
    limit_files(500);
    audit_log_flush(log);
    limit_files(RLIM_INFINITY);
    assert_int_equal(rename(place->path, place->old), 0);
    assert_true(audit_log_reopen(log, &err));
    audit_log_close(log);
    assert_int_equal(count_lines(place->path), 1);
}

static void drops_what_does_not_fit_and_says_so(void **state) {
    enum { RECORDS = 3000 };
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    char *long_text = mem_zalloc(1001);
    const char *dropped;
    char *text;
    int lines;

    memset(long_text, 'x', 1000);
    for (uint64_t i = 0; i < RECORDS; i++)
        put(log, i, &MULTI, str_of(long_text));
    audit_log_flush(log);
    lines = count_lines(place->path);
    assert_in_range(lines, 500, RECORDS - 1);
    text = read_file(place->path);
    dropped = strstr(text, ",\"dropped\":");
    assert_non_null(dropped);
    assert_int_equal(atoi(dropped + strlen(",\"dropped\":")), RECORDS - (lines - 1));
    free(text);
    /* What was dropped is not taken for logged. */
    put(log, RECORDS - 1, &MULTI, STR_LIT("SELECT 1"));
    audit_log_flush(log);
    assert_int_equal(count_lines(place->path), lines + 1);
    free(long_text);
    audit_log_close(log);
}

enum { THREADS = 4, SHAPES = 300 };

static void *put_all(void *log) {
    for (uint64_t i = 0; i < SHAPES; i++)
        put(log, i, &MULTI, STR_LIT("SELECT 1"));
    return NULL;
}

static void takes_records_from_many_threads(void **state) {
    Place *place = *state;
    AuditLog *log = open_log(place->path, LIMITS);
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_all, log), 0);
    for (int i = 0; i < 50; i++)
        audit_log_flush(log);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    audit_log_close(log);
    assert_int_equal(count_lines(place->path), SHAPES);
}

static void does_without_a_log(void **state) {
    (void)state;
    put(NULL, 1, &MULTI, STR_LIT("SELECT 1"));
    audit_log_flush(NULL);
    audit_log_close(NULL);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_PLACE(writes_a_line),
        IN_PLACE(writes_what_would_be_better),
        IN_PLACE(says_each_shape_once),
        IN_PLACE(redacts),
        IN_PLACE(follows_a_rotation),
        IN_PLACE(keeps_the_file_if_it_cannot_open_another),
        IN_PLACE(waits_out_a_full_disk),
        IN_PLACE(starts_a_cut_line_again_in_a_new_file),
        IN_PLACE(drops_what_does_not_fit_and_says_so),
        IN_PLACE(takes_records_from_many_threads),
        cmocka_unit_test(does_without_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
