/* Four-way associative, one sequence lock a bucket (Boehm, "Can Seqlocks Get Along With Programming Language
 * Memory Models?", 2012: relaxed copies between two fences). */
#include "proxy/tenant_cache.h"

#include <stdlib.h>

#include "base/mem.h"

#define WAYS 4
#define WORDS ((TENANT_CACHE_TEXT + 1) / 8)

typedef struct TenantEntry {
    _Atomic uint64_t hash[2];
    _Atomic uint64_t generation;  /* 0: empty */
    _Atomic uint64_t text[WORDS]; /* first byte: the length */
} TenantEntry;

struct TenantBucket {
    _Atomic uint32_t sequence;
    uint32_t turn; /* of the writer: which entry goes next */
    TenantEntry entries[WAYS];
};

_Static_assert(sizeof(TenantEntry) == 64, "an entry is a cache line");

void tenant_cache_init(TenantCache *cache, int max_entries) {
    uint64_t n = 1;

    atomic_init(&cache->generation, 1);
    cache->buckets = NULL;
    cache->mask = 0;
    if (max_entries <= 0)
        return;
    while (n * WAYS < (uint64_t)max_entries)
        n *= 2;
    cache->mask = n - 1;
    /* Zeroed pages are the system's until they are written: a large cache costs what is in it. */
    cache->buckets = mem_zalloc(sizeof *cache->buckets * n);
}

void tenant_cache_free(TenantCache *cache) {
    free(cache->buckets);
    cache->buckets = NULL;
}

void tenant_cache_forget(TenantCache *cache) {
    atomic_fetch_add_explicit(&cache->generation, 1, memory_order_acq_rel);
}

static TenantBucket *bucket_of(const TenantCache *cache, const ParentKey *key) {
    return &cache->buckets[key->hash[0] & cache->mask];
}

static bool is_entry(TenantEntry *entry, const ParentKey *key) {
    return atomic_load_explicit(&entry->hash[0], memory_order_relaxed) == key->hash[0] &&
           atomic_load_explicit(&entry->hash[1], memory_order_relaxed) == key->hash[1];
}

int tenant_cache_get(TenantCache *cache, const ParentKey *key, char out[TENANT_CACHE_TEXT + 1]) {
    uint64_t words[WORDS] = {0}, generation = tenant_cache_generation(cache);
    bool found = false;

    if (!cache->buckets)
        return -1;
    TenantBucket *bucket = bucket_of(cache, key);
    uint32_t before = atomic_load_explicit(&bucket->sequence, memory_order_acquire);
    for (int i = 0; i < WAYS && !found; i++) {
        TenantEntry *entry = &bucket->entries[i];

        found = is_entry(entry, key) &&
                atomic_load_explicit(&entry->generation, memory_order_relaxed) == generation;
        for (int w = 0; w < WORDS && found; w++)
            words[w] = atomic_load_explicit(&entry->text[w], memory_order_relaxed);
    }
    atomic_thread_fence(memory_order_acquire);
    if (!found || before & 1 || atomic_load_explicit(&bucket->sequence, memory_order_relaxed) != before)
        return -1;
    const unsigned char *bytes = (const unsigned char *)words;
    memcpy(out, bytes + 1, bytes[0]);
    return bytes[0];
}

void tenant_cache_put(TenantCache *cache, const ParentKey *key, uint64_t generation, Str tenant) {
    uint64_t words[WORDS] = {0};

    if (!cache->buckets || tenant.len > TENANT_CACHE_TEXT || tenant_cache_generation(cache) != generation)
        return;
    TenantBucket *bucket = bucket_of(cache, key);
    uint32_t before = atomic_load_explicit(&bucket->sequence, memory_order_relaxed);
    if (before & 1 || !atomic_compare_exchange_strong_explicit(&bucket->sequence, &before, before + 1,
                                                               memory_order_acquire, memory_order_relaxed))
        return;
    atomic_thread_fence(memory_order_release);
    TenantEntry *entry = NULL;
    for (int i = 0; i < WAYS && !entry; i++)
        if (is_entry(&bucket->entries[i], key))
            entry = &bucket->entries[i];
    if (!entry)
        entry = &bucket->entries[bucket->turn++ % WAYS];
    ((unsigned char *)words)[0] = (unsigned char)tenant.len;
    memcpy((unsigned char *)words + 1, tenant.ptr, tenant.len);
    atomic_store_explicit(&entry->hash[0], key->hash[0], memory_order_relaxed);
    atomic_store_explicit(&entry->hash[1], key->hash[1], memory_order_relaxed);
    atomic_store_explicit(&entry->generation, generation, memory_order_relaxed);
    for (int w = 0; w < WORDS; w++)
        atomic_store_explicit(&entry->text[w], words[w], memory_order_relaxed);
    atomic_store_explicit(&bucket->sequence, before + 2, memory_order_release);
}
