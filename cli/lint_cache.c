/* A hash table with a chain in each bucket, keyed by the normalised text and the session's context. */
#include "cli/lint_cache.h"

#include <stdlib.h>

#include "base/mem.h"

#define BUCKETS 4096

typedef struct Entry {
    struct Entry *next;
    Arena *arena; /* owned; holds this entry, too */
    uint64_t hash;
    Str shape;
    Str context;
    LintFinding finding;
} Entry;

struct LintCache {
    size_t max_bytes;
    size_t bytes;
    Entry *buckets[BUCKETS];
};

LintCache *lint_cache_new(size_t max_bytes) {
    LintCache *cache = MEM_NEW(LintCache);
    cache->max_bytes = max_bytes;
    return cache;
}

static void clear(LintCache *cache) {
    for (size_t i = 0; i < BUCKETS; i++) {
        while (cache->buckets[i]) {
            Entry *entry = cache->buckets[i];
            cache->buckets[i] = entry->next;
            arena_free(entry->arena);
        }
    }
    cache->bytes = 0;
}

void lint_cache_free(LintCache *cache) {
    if (!cache)
        return;
    clear(cache);
    free(cache);
}

const LintFinding *lint_cache_find(const LintCache *cache, const Shape *shape, Str context) {
    for (const Entry *entry = cache->buckets[shape->hash % BUCKETS]; entry; entry = entry->next)
        if (entry->hash == shape->hash && str_eq(entry->shape, shape->text) &&
            str_eq(entry->context, context))
            return &entry->finding;
    return NULL;
}

const LintFinding *lint_cache_add(LintCache *cache, const Shape *shape, Str context, Arena *arena,
                                  const Facts *facts, const Decision *decision) {
    if (cache->bytes + arena_size(arena) > cache->max_bytes)
        clear(cache);
    Entry *entry = ARENA_NEW(arena, Entry);
    Span *literals = ARENA_ARRAY(arena, Span, shape->nliterals);
    memcpy(literals, shape->literals, sizeof(Span) * (size_t)shape->nliterals);
    *entry = (Entry){.next = cache->buckets[shape->hash % BUCKETS],
                     .arena = arena,
                     .hash = shape->hash,
                     .shape = arena_str(arena, shape->text),
                     .context = arena_str(arena, context),
                     .finding = {facts, decision, literals, shape->nliterals}};
    cache->buckets[shape->hash % BUCKETS] = entry;
    cache->bytes += arena_size(arena);
    return &entry->finding;
}
