/* The allow-list in force: sources, expiry, what a plan's slot remembers, and many threads at it. */
#include "proxy/allowed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/log.h"

static Config *config_of(const char *lines) {
    char text[1024];
    Error err;
    snprintf(text, sizeof text, "[allow]\n%s", lines);
    Config *config = config_parse("f", text, CONFIG_FOR_CHECK, &err);
    if (!config)
        fail_msg("%s", err.message);
    return config;
}

static void load(AllowedList *list, const char *lines) {
    Config *config = config_of(lines);
    allowed_load(list, config);
    config_free(config);
}

static bool passes(AllowedList *list, uint64_t fingerprint, int64_t now_us) {
    AllowedSlot slot = {0};
    return allowed_pass(list, &slot, fingerprint, now_us);
}

static void nothing_is_allowed_at_first(void **state) {
    AllowedList list;
    (void)state;
    allowed_init(&list);
    assert_false(passes(&list, 1, 0));
    assert_false(passes(&list, 0, 0));
    allowed_free(&list);
}

static void ends_at_its_time(void **state) {
    AllowedList list;
    AllowedSlot slot = {0};
    (void)state;
    allowed_init(&list);
    allowed_put(&list, 7, 1000, "ada");
    assert_true(allowed_pass(&list, &slot, 7, 999));
    assert_false(allowed_pass(&list, &slot, 7, 1000));
    allowed_put(&list, 7, 2000, "ada");
    assert_true(allowed_pass(&list, &slot, 7, 1000));
    allowed_put(&list, 7, 500, "ada"); /* the newest counts, also if it is shorter */
    assert_false(allowed_pass(&list, &slot, 7, 1000));
    allowed_free(&list);
}

/* A slot that has found nothing finds what comes later, and follows what happens to it. */
static void a_slot_follows(void **state) {
    AllowedList list;
    AllowedSlot slot = {0};
    Error err;
    (void)state;
    allowed_init(&list);
    assert_false(allowed_pass(&list, &slot, 7, 0));
    allowed_put(&list, 8, ALLOW_FOREVER, "ada");
    assert_false(allowed_pass(&list, &slot, 7, 0));
    allowed_put(&list, 7, ALLOW_FOREVER, "ada");
    assert_true(allowed_pass(&list, &slot, 7, 0));
    for (uint64_t i = 100; i < 1100; i++) /* the table grows under the slot's pointer */
        allowed_put(&list, i, ALLOW_FOREVER, "ada");
    assert_true(allowed_pass(&list, &slot, 7, 0));
    Config *config = config_of("");
    assert_true(allowed_remove(&list, 7, config, &err));
    assert_false(allowed_pass(&list, &slot, 7, 0));
    assert_false(allowed_remove(&list, 7, config, &err));
    assert_non_null(strstr(err.message, "0000000000000007"));
    assert_false(allowed_remove(&list, 9, config, &err));
    config_free(config);
    load(&list, "0000000000000007 = forever\n");
    assert_true(allowed_pass(&list, &slot, 7, 0));
    load(&list, "");
    assert_false(allowed_pass(&list, &slot, 7, 0));
    assert_true(passes(&list, 500, 0)); /* of the console: a reload leaves it */
    allowed_free(&list);
}

static void file_and_console_add_up(void **state) {
    AllowedList list;
    Error err;
    (void)state;
    allowed_init(&list);
    load(&list, "0000000000000007 = 2020-01-01\n");
    int64_t now = INT64_C(1700000000000000);
    assert_false(passes(&list, 7, now));
    allowed_put(&list, 7, ALLOW_FOREVER, "ada");
    assert_true(passes(&list, 7, now));
    Config *config = config_of("0000000000000007 = forever\n");
    allowed_load(&list, config);
    assert_false(allowed_remove(&list, 7, config, &err)); /* the console's goes, the file's stays */
    assert_non_null(strstr(err.hint, "line 2"));
    assert_true(passes(&list, 7, now));
    config_free(config);
    load(&list, "");
    assert_false(passes(&list, 7, now));
    allowed_free(&list);
}

typedef struct Seen {
    AllowedRow rows[8];
    int n;
} Seen;

static void keep(const AllowedRow *row, void *arg) {
    Seen *seen = arg;
    assert_true(seen->n < 8);
    seen->rows[seen->n++] = *row;
}

static void lists_each_source(void **state) {
    AllowedList list;
    Seen seen = {.n = 0};
    (void)state;
    allowed_init(&list);
    load(&list, "0000000000000007 = forever of the file\n0000000000000008 = 2020-01-01\n");
    allowed_put(&list, 7, 5000000, "ada");
    allowed_put(&list, 9, ALLOW_FOREVER, "ada");
    assert_true(passes(&list, 7, 4000000));
    assert_true(passes(&list, 7, 4500000));
    allowed_visit(&list, keep, &seen);
    assert_int_equal(seen.n, 4);
    assert_true(seen.rows[0].fingerprint == 7 && seen.rows[0].line == 2 && seen.rows[0].hits == 2);
    assert_string_equal(seen.rows[0].reason, "of the file");
    assert_null(seen.rows[0].by);
    assert_true(seen.rows[1].fingerprint == 7 && seen.rows[1].line == 0 && seen.rows[1].until_us == 5000000);
    assert_string_equal(seen.rows[1].by, "ada");
    assert_null(seen.rows[1].reason);
    assert_true(seen.rows[1].last_hit_us == 4500000);
    assert_true(seen.rows[2].fingerprint == 8 && seen.rows[2].line == 3 && seen.rows[2].hits == 0);
    assert_true(seen.rows[3].fingerprint == 9 && seen.rows[3].line == 0);
    allowed_free(&list);
}

/* Threads ask without a pause while another changes the list. Returns, in effect, how often they heard yes.
 */
static void *ask(void *arg) {
    AllowedList *list = arg;
    AllowedSlot slots[64] = {{0}};
    uintptr_t hits = 0;
    for (int i = 0; i < 200000; i++)
        hits += allowed_pass(list, &slots[i % 64], (uint64_t)(i % 64) + 1, i);
    return (void *)hits;
}

static void add_hits(const AllowedRow *row, void *arg) { *(uint64_t *)arg += row->hits; }

static void many_threads(void **state) {
    AllowedList list;
    pthread_t threads[2];
    Error err;
    (void)state;
    allowed_init(&list);
    Config *config = config_of("");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_create(&threads[i], NULL, ask, &list);
    for (int round = 0; round < 50; round++)
        for (uint64_t i = 1; i <= 64; i++) {
            allowed_put(&list, i, ALLOW_FOREVER, "ada");
            if (round % 2)
                assert_true(allowed_remove(&list, i, config, &err));
        }
    uint64_t heard = 0, counted = 0;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *hits;
        pthread_join(threads[i], &hits);
        heard += (uintptr_t)hits;
    }
    assert_false(passes(&list, 1, 0));
    for (uint64_t i = 1; i <= 64; i++) /* so that they are listed, with what they have counted */
        allowed_put(&list, i, ALLOW_FOREVER, "ada");
    allowed_visit(&list, add_hits, &counted);
    assert_true(counted == heard);
    config_free(config);
    allowed_free(&list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allowed_at_first),
        cmocka_unit_test(ends_at_its_time),
        cmocka_unit_test(a_slot_follows),
        cmocka_unit_test(file_and_console_add_up),
        cmocka_unit_test(lists_each_source),
        cmocka_unit_test(many_threads),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
