/* The shared cache of tenants, and the keys that parents have in it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tenant_cache.h"

static ParentKey key_of(uint64_t n) { return (ParentKey){{n * 0x9e3779b97f4a7c15u, n}}; }

static const char *get(TenantCache *cache, uint64_t n) {
    static char text[TENANT_CACHE_TEXT + 1];
    ParentKey key = key_of(n);
    int len = tenant_cache_get(cache, &key, text);

    if (len < 0)
        return NULL;
    text[len] = '\0';
    return text;
}

static void put(TenantCache *cache, uint64_t n, const char *tenant) {
    ParentKey key = key_of(n);

    tenant_cache_put(cache, &key, tenant_cache_generation(cache), str_of(tenant));
}

static void test_keeps(void **state) {
    TenantCache cache;

    (void)state;
    tenant_cache_init(&cache, 1000);
    assert_null(get(&cache, 1));
    put(&cache, 1, "5");
    put(&cache, 2, "");
    put(&cache, 3, "123456789012345678901234567890123456789");
    put(&cache, 4, "1234567890123456789012345678901234567890"); /* too long */
    assert_string_equal(get(&cache, 1), "5");
    assert_string_equal(get(&cache, 2), "");
    assert_string_equal(get(&cache, 3), "123456789012345678901234567890123456789");
    assert_null(get(&cache, 4));
    put(&cache, 1, "6");
    assert_string_equal(get(&cache, 1), "6");
    tenant_cache_free(&cache);
}

static void test_forgets(void **state) {
    ParentKey key = key_of(7);
    TenantCache cache;
    uint64_t asked;

    (void)state;
    tenant_cache_init(&cache, 1000);
    put(&cache, 1, "5");
    asked = tenant_cache_generation(&cache);
    tenant_cache_forget(&cache);
    assert_null(get(&cache, 1));
    tenant_cache_put(&cache, &key, asked, STR_LIT("5")); /* was looked up before */
    assert_null(get(&cache, 7));
    put(&cache, 1, "6");
    assert_string_equal(get(&cache, 1), "6");
    tenant_cache_free(&cache);
}

static void test_is_bounded(void **state) {
    TenantCache cache;
    char text[32];
    int found = 0;

    (void)state;
    tenant_cache_init(&cache, 64);
    for (uint64_t n = 0; n < 10000; n++) {
        snprintf(text, sizeof text, "%d", (int)n);
        put(&cache, n, text);
    }
    for (uint64_t n = 0; n < 10000; n++) {
        const char *tenant = get(&cache, n);

        snprintf(text, sizeof text, "%d", (int)n);
        if (tenant) {
            assert_string_equal(tenant, text);
            found++;
        }
    }
    assert_in_range(found, 32, 64);
    tenant_cache_free(&cache);
    tenant_cache_init(&cache, 0);
    put(&cache, 1, "5");
    assert_null(get(&cache, 1));
    tenant_cache_free(&cache);
}

/* Writers and readers of the same few buckets: what is found is what belongs to the key. */
static void *work(void *arg) {
    TenantCache *cache = arg;
    char expected[32], text[TENANT_CACHE_TEXT + 1];

    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t n = (i * 7919) % 64;
        ParentKey key = key_of(n);
        int len;

        snprintf(expected, sizeof expected, "tenant-%d-%d", (int)n, (int)(n * n));
        if (i % 3 == 0)
            tenant_cache_put(cache, &key, tenant_cache_generation(cache), str_of(expected));
        len = tenant_cache_get(cache, &key, text);
        if (len >= 0 && ((size_t)len != strlen(expected) || memcmp(text, expected, (size_t)len) != 0))
            return (void *)1;
    }
    return NULL;
}

static void test_many_at_once(void **state) {
    pthread_t threads[4];
    TenantCache cache;

    (void)state;
    tenant_cache_init(&cache, 32);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &cache), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    tenant_cache_free(&cache);
}

/* ---- keys ---- */

typedef struct KeyCase {
    const char *type;
    BindParam a, b;
    uint32_t declared;
    bool plain, same;
} KeyCase;

static ParentKeyKind key(const char *type, const BindParam *value, uint32_t declared, ParentKey *out) {
    Column column = {.name = "order_id", .type_schema = "pg_catalog", .type_name = type};
    const Column *columns[] = {&column};
    Table parent = {.schema = "public", .name = "orders"};
    ForeignKey fk = {.parent = &parent, .child_columns = columns, .parent_columns = columns, .ncolumns = 1};
    const ForeignKey *steps[] = {&fk};
    Table child = {.path = {steps, 1}};

    return parent_key(&child, value, &declared, out);
}

#define TEXT(s)                                                                                              \
    { STR_LIT(s), false }
#define BINARY(s)                                                                                            \
    { STR_LIT(s), true }

static void test_keys(void **state) {
    static const KeyCase cases[] = {
        {"int8", TEXT("7"), TEXT(" 007 "), 0, true, true},
        {"int8", TEXT("7"), TEXT("+7"), 0, true, true},
        {"int8", TEXT("-7"), BINARY("\377\377\377\371"), 0, true, true},
        {"int8", TEXT("7"), BINARY("\0\0\0\0\0\0\0\7"), 20, true, true},
        {"int4", TEXT("258"), BINARY("\1\2"), 21, true, true},
        {"int8", TEXT("7"), TEXT("8"), 0, true, false},
        {"int8", TEXT("7.0"), TEXT("7.0"), 0, false, false},
        {"int8", TEXT(""), TEXT(""), 0, false, false},
        {"int8", TEXT("7"), TEXT("7"), 1700, false, false}, /* numeric: rounded by the server */
        {"int8", TEXT("9999999999999999999"), TEXT("1"), 0, false, false},
        {"uuid", TEXT("00000000-0000-0000-0000-00000000000a"), TEXT("{0000000000000000000000000000000A}"), 0,
         true, true},
        {"uuid", TEXT("00000000-0000-0000-0000-00000000000a"), BINARY("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\012"),
         2950, true, true},
        {"uuid", TEXT("0a"), TEXT("0a"), 0, false, false},
        {"text", TEXT("a"), BINARY("a"), 25, true, true},
        {"text", TEXT("a"), TEXT("a "), 0, true, false},
        {"numeric", TEXT("7"), TEXT("7"), 0, false, false},
        {"bpchar", TEXT("a"), TEXT("a"), 0, false, false},
    };
    const BindParam null = {STR_NONE, false};
    ParentKey a, b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const KeyCase *c = &cases[i];
        ParentKeyKind kind = key(c->type, &c->a, c->declared, &a);

        if ((kind == PARENT_KEY_PLAIN) != c->plain)
            fail_msg("case %zu: %s", i, kind == PARENT_KEY_PLAIN ? "has an identity" : "has none");
        if (c->plain && (key(c->type, &c->b, c->declared, &b) != PARENT_KEY_PLAIN ||
                         (memcmp(&a, &b, sizeof a) == 0) != c->same))
            fail_msg("case %zu: the two are %s", i, c->same ? "not the same" : "the same");
    }
    assert_int_equal(key("int8", &null, 0, &a), PARENT_KEY_NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps),      cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_is_bounded), cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
