/* What a plan tells of its statements, for the modes; plans with and without audit. */
#include "proxy/mode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "catalog/dump.h"
#include "conf/config.h"

static const char SCHEMA[] =
    "CREATE TABLE stores (store_id bigint PRIMARY KEY);"
    "CREATE TABLE orders (order_id bigint PRIMARY KEY, store_id bigint REFERENCES stores);";
static const char SETTINGS[] = "[tenant]\ntable = stores\ncolumn = store_id\n";

/* A cache with what surrounds it in a worker. */
typedef struct World {
    PlanCache cache;
    ContextTable contexts;
    Context *context;
    PlanRequest request;
} World;

static void world_begin(World *w) {
    Error err;
    Config *config = config_parse("test.ini", SETTINGS, CONFIG_FOR_LINT, &err);
    memset(w, 0, sizeof *w);
    plan_cache_init(&w->cache, 100, (FactsLimits){0}, audit_new((AuditLimits){.max_entries = 100}));
    w->context =
        context_get(&w->contexts, &(SessionContext){.search_path = "public", .search_path_known = true});
    w->request = (PlanRequest){.context = w->context, .utf8 = true, .application = "test", .role = "app"};
    w->request.snapshot = catalog_from_dump(STR_LIT(SCHEMA), "schema.sql", config, &err);
    if (!w->request.snapshot)
        fail_msg("%s", err.message);
    config_free(config);
}

static void world_end(World *w) {
    AuditLedger *ledger = w->cache.ledger;
    plan_cache_free(&w->cache);
    context_unref(&w->contexts, w->context);
    snapshot_unref(w->request.snapshot);
    audit_free(ledger);
}

static Plan *plan_of(World *w, const char *text) {
    w->request.text = str_of(text);
    return plan_get(&w->cache, &w->request, NULL, NULL);
}

#define MULTI MODE_BIT(MODE_MULTI_TENANT)
#define OPAQUE MODE_BIT(MODE_OPAQUE)
#define UNPARSED MODE_BIT(MODE_UNPARSED)

static void subjects_of_texts(void **state) {
    static const struct {
        const char *text;
        uint8_t subjects;
    } cases[] = {
        {"", 0},
        {"SELECT 1", 0},
        {"BEGIN", 0},
        {"SELECT * FROM orders WHERE store_id = 5", 0},
        {"SELECT * FROM orders", MULTI},
        {"SELECT * FROM orders WHERE store_id = 5; SELECT 1; SELECT * FROM orders; COMMIT", MULTI},
        {"DO $$ BEGIN END $$", OPAQUE},
        {"DO $$ BEGIN END $$; SELECT * FROM orders", MULTI | OPAQUE},
        {"SELEC", UNPARSED},
        {"EXPLAIN SELECT * FROM orders", 0},
        {"EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM orders", MULTI},
        {"EXPLAIN ANALYZE SELECT * FROM orders WHERE store_id = 5", 0},
        {"PREPARE p AS SELECT * FROM orders", 0},
        {"PREPARE p AS SELECT * FROM orders; SELECT 1", MULTI},
        {"EXECUTE p", OPAQUE | MODE_BIT_EXECUTES},
        {"EXPLAIN EXECUTE p", 0},
        {"EXPLAIN ANALYZE EXECUTE p", OPAQUE | MODE_BIT_EXECUTES},
        {"CREATE TABLE t AS EXECUTE p", OPAQUE | MODE_BIT_EXECUTES},
        {"SELECT 1; EXECUTE p", OPAQUE | MODE_BIT_EXECUTES},
        {"DECLARE c CURSOR FOR SELECT * FROM orders", MULTI},
        {"FETCH 1 FROM c", 0},
    };
    World w;
    (void)state;
    world_begin(&w);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Plan *plan = plan_of(&w, cases[i].text);
        if (plan->subjects != cases[i].subjects)
            fail_msg("%s: %x, not %x", cases[i].text, plan->subjects, cases[i].subjects);
        plan_unref(plan);
    }
    world_end(&w);
}

/* A plan is made anew when the audit is turned on or off. */
static void audit_on_and_off(void **state) {
    static const char TEXT[] = "SELECT * FROM orders WHERE order_id = 5";
    World w;
    (void)state;
    world_begin(&w);
    w.cache.auditing = false;
    Plan *without = plan_of(&w, TEXT);
    assert_null(without->audit);
    assert_true(plan_audits_as(without, &w.cache));
    w.cache.auditing = true;
    assert_false(plan_audits_as(without, &w.cache));
    Plan *with = plan_of(&w, TEXT);
    assert_ptr_not_equal(with, without);
    assert_non_null(with->audit);
    Plan *again = plan_of(&w, TEXT);
    assert_ptr_equal(with, again);
    assert_true(plan_fingerprint(with, 0) == plan_fingerprint(without, 0) && plan_fingerprint(with, 0) != 0);
    assert_int_equal(w.cache.stats.misses, 1);
    plan_unref(without);
    plan_unref(with);
    plan_unref(again);
    world_end(&w);
}

/* Of what is not parsed: that of its shape, the same in every process. */
static void fingerprints_without_a_parse(void **state) {
    World w;
    (void)state;
    world_begin(&w);
    Plan *one = plan_of(&w, "SELEC 1"), *two = plan_of(&w, "SELEC 2"), *other = plan_of(&w, "SELEC x");
    assert_true(plan_fingerprint(one, 0) == plan_fingerprint(two, 0));
    assert_true(plan_fingerprint(one, 0) != plan_fingerprint(other, 0));
    assert_true(plan_fingerprint(one, 0) == one->audit[0]->fingerprint);
    assert_true(plan_fingerprint(other, 0) == UINT64_C(0xbc2ea8e0afbc794b));
    plan_unref(one);
    plan_unref(two);
    plan_unref(other);
    world_end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_of_texts),
        cmocka_unit_test(audit_on_and_off),
        cmocka_unit_test(fingerprints_without_a_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
