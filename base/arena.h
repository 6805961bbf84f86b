/* Arenas: memory that is freed all at once.
 *
 * An arena is a chain of chunks; allocation bumps a pointer and never fails (see base/mem.h). Reset keeps
 * the largest chunk (up to ARENA_KEEP_MAX bytes), so that an arena used once per message soon stops calling
 * malloc. Not thread-safe: an arena belongs to one thread, or to an object that is no longer written. Under
 * AddressSanitizer each allocation is a block of its own, so that an overrun is seen. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

#define ARENA_ALIGN 16u
#define ARENA_KEEP_MAX (1024u * 1024u)

/* The fields are for arena.c and for the allocation below. */
typedef struct Arena {
    uint8_t *next;             /* room in the current chunk; both NULL without one */
    uint8_t *end;              /* a multiple of ARENA_ALIGN, so that rounding up `next` cannot pass it */
    struct ArenaChunk *chunks; /* owned; the current one first */
    size_t size;
} Arena;

Arena *arena_new(void) MUST_USE;
void arena_free(Arena *arena);  /* NULL is permitted */
void arena_reset(Arena *arena); /* all pointers into it become invalid */

void *arena_alloc_chunk(Arena *arena, size_t size) MUST_USE; /* where arena_alloc finds no room */

/* Zeroed memory, aligned for any type. */
MUST_USE static inline void *arena_alloc(Arena *arena, size_t size) {
    size_t pad = -(uintptr_t)arena->next & (ARENA_ALIGN - 1);
    size_t room = (size_t)(arena->end - arena->next);
    uint8_t *ptr = arena->next;

    if (room < pad || room - pad < size || !ptr)
        return arena_alloc_chunk(arena, size);
    ptr += pad;
    arena->next = ptr + size;
    return memset(ptr, 0, size);
}

char *arena_strndup(Arena *arena, const char *s, size_t len) MUST_USE;
char *arena_strdup(Arena *arena, const char *s) MUST_USE;
Str arena_str(Arena *arena, Str s) MUST_USE; /* a copy, NUL-terminated behind its length */
char *arena_printf(Arena *arena, const char *fmt, ...) MUST_USE PRINTF_LIKE(2, 3);

/* Bytes taken from the system, to bound a cache by memory. */
size_t arena_size(const Arena *arena) MUST_USE;

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(n)))

#endif
