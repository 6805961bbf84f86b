/* Arenas: the chain of chunks behind the bump pointer. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ONE_BLOCK_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_BLOCK_EACH 1
#endif
#endif
#ifndef ONE_BLOCK_EACH
#define ONE_BLOCK_EACH 0
#endif

/* Chunks double from the first size to the last; a larger object gets a chunk of its own size. */
#define CHUNK_FIRST 1024u
#define CHUNK_LAST (64u * 1024u)

typedef struct ArenaChunk {
    struct ArenaChunk *older;
    size_t size; /* of data */
    _Alignas(ARENA_ALIGN) uint8_t data[];
} ArenaChunk;

Arena *arena_new(void) {
    Arena *arena = MEM_NEW(Arena);

    arena->size = sizeof(Arena);
    return arena;
}

static void free_chunk(Arena *arena, ArenaChunk *chunk) {
    arena->size -= sizeof(ArenaChunk) + chunk->size;
    free(chunk);
}

void arena_free(Arena *arena) {
    if (!arena)
        return;
    for (ArenaChunk *chunk = arena->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        free_chunk(arena, chunk);
    }
    free(arena);
}

static bool worth_keeping(const ArenaChunk *chunk, const ArenaChunk *kept) {
    return !ONE_BLOCK_EACH && chunk->size <= ARENA_KEEP_MAX && (!kept || chunk->size > kept->size);
}

void arena_reset(Arena *arena) {
    ArenaChunk *kept = NULL;

    for (ArenaChunk *chunk = arena->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        if (!worth_keeping(chunk, kept)) {
            free_chunk(arena, chunk);
            continue;
        }
        if (kept)
            free_chunk(arena, kept);
        kept = chunk;
    }
    arena->chunks = kept;
    arena->next = arena->end = NULL;
    if (kept) {
        kept->older = NULL;
        arena->next = kept->data;
        arena->end = kept->data + kept->size;
    }
}

static ArenaChunk *add_chunk(Arena *arena, size_t size) {
    /* A size near the maximum would wrap around with the header added; let the allocator refuse it. */
    size_t total = size <= SIZE_MAX - sizeof(ArenaChunk) ? sizeof(ArenaChunk) + size : SIZE_MAX;
    ArenaChunk *chunk = mem_alloc(total);

    chunk->size = size;
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    arena->size += total;
    return chunk;
}

/* Of data, for an object of `size` bytes: chunk and header together are a power of two. */
static size_t next_chunk_size(const Arena *arena, size_t size) {
    size_t data = CHUNK_FIRST - sizeof(ArenaChunk);

    if (arena->chunks && arena->chunks->size >= data)
        data = arena->chunks->size * 2 + sizeof(ArenaChunk);
    while (data < size && data < CHUNK_LAST)
        data = data * 2 + sizeof(ArenaChunk);
    if (data > CHUNK_LAST - sizeof(ArenaChunk))
        data = CHUNK_LAST - sizeof(ArenaChunk);
    return data > size ? data : size;
}

void *arena_alloc_chunk(Arena *arena, size_t size) {
    size_t rounded =
        size <= SIZE_MAX - ARENA_ALIGN ? (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : size;
    ArenaChunk *chunk;

    if (ONE_BLOCK_EACH)
        return memset(add_chunk(arena, size)->data, 0, size);
    chunk = add_chunk(arena, next_chunk_size(arena, rounded));
    arena->next = chunk->data + size;
    arena->end = chunk->data + chunk->size;
    return memset(chunk->data, 0, size);
}

/* Room for text, which needs no alignment and no zeroes. */
static char *alloc_text(Arena *arena, size_t size) {
    char *text = (char *)arena->next;

    if ((size_t)(arena->end - arena->next) < size || !text)
        return arena_alloc_chunk(arena, size);
    arena->next += size;
    return text;
}

char *arena_strndup(Arena *arena, const char *s, size_t len) {
    char *copy = alloc_text(arena, len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(Arena *arena, const char *s) { return arena_strndup(arena, s, strlen(s)); }

Str arena_str(Arena *arena, Str s) { return (Str){arena_strndup(arena, s.ptr, s.len), s.len}; }

char *arena_printf(Arena *arena, const char *fmt, ...) {
    va_list args, again;
    char *text;
    int n;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    /* Only a text above INT_MAX bytes fails here. */
    if (n < 0)
        abort();
    text = alloc_text(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

size_t arena_size(const Arena *arena) { return arena->size; }
