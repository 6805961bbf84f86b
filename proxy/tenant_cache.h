/* What is known of parents: key → tenant, shared by all workers, bounded, never waiting.
 *
 *   bucket = a sequence number, odd while the bucket is written, and four entries
 *
 * A reader copies an entry and looks at the sequence number before and after: if it was odd or has changed,
 * the entry counts as absent. A writer that finds the bucket being written gives up. So nobody ever waits,
 * and losing an entry costs a lookup. In a full bucket the entries take turns to be overwritten.
 *
 * Entries belong to a generation; the next generation forgets all of them at once. */
#ifndef PROXY_TENANT_CACHE_H
#define PROXY_TENANT_CACHE_H

#include <stdatomic.h>

#include "proxy/parent_key.h"

#define TENANT_CACHE_TEXT 39 /* longer tenants are not kept */

typedef struct TenantBucket TenantBucket;

typedef struct TenantCache {
    TenantBucket *buckets; /* owned; NULL: keeps nothing */
    uint64_t mask;
    _Atomic uint64_t generation;
} TenantCache;

/* For about max_entries; 0 for none. */
void tenant_cache_init(TenantCache *cache, int max_entries);
void tenant_cache_free(TenantCache *cache);

/* The current generation: to be read before what is to be kept is looked up. */
static inline uint64_t tenant_cache_generation(TenantCache *cache) {
    return atomic_load_explicit(&cache->generation, memory_order_acquire);
}
/* Forgets everything, also what is being looked up now. */
void tenant_cache_forget(TenantCache *cache);

/* Writes the tenant's text, not NUL-terminated, into `out` and returns its length; -1 if it is not known. */
int tenant_cache_get(TenantCache *cache, const ParentKey *key, char out[TENANT_CACHE_TEXT + 1]) MUST_USE;
/* Keeps it unless the generation is over. */
void tenant_cache_put(TenantCache *cache, const ParentKey *key, uint64_t generation, Str tenant);

#endif
