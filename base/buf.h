/* A growable byte buffer with a consumed front.
 *
 *   0 .. start    -- consumed, reclaimed when convenient
 *   start .. end  -- the content
 *   end .. cap    -- room
 *
 * Holds memory only while it has content or buf_reserve promised some: buf_clear gives large memory back. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

typedef struct Buf {
    uint8_t *data; /* owned; NULL while cap is 0 */
    size_t start;
    size_t end;
    size_t cap;
} Buf;

static inline size_t buf_len(const Buf *b) { return b->end - b->start; }
static inline uint8_t *buf_ptr(const Buf *b) { return b->data ? b->data + b->start : NULL; }

#define BUF_KEEP_MAX 4096u

uint8_t *buf_grow(Buf *b, size_t room) MUST_USE; /* where buf_reserve finds no room */
/* Makes room behind the content, for at least `room` bytes; returns where (NULL only for no room in an empty
 * buffer). The content may move. */
MUST_USE static inline uint8_t *buf_reserve(Buf *b, size_t room) {
    if (b->cap - b->end < room)
        return buf_grow(b, room);
    return b->data ? b->data + b->end : NULL;
}
void buf_consume(Buf *b, size_t n); /* n <= buf_len; an emptied buffer keeps its memory */
void buf_clear(Buf *b);             /* empty; keeps at most BUF_KEEP_MAX bytes */
void buf_free(Buf *b);              /* empty; keeps nothing */

/* What is appended must not lie in the buffer itself. */
void buf_append(Buf *b, const void *data, size_t len);
void buf_append_str(Buf *b, Str s);
void buf_append_cstr(Buf *b, const char *s); /* without the NUL */
void buf_printf(Buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Network byte order, as the protocol has it. */
void buf_put_u8(Buf *b, uint8_t v);
void buf_put_u16(Buf *b, uint16_t v);
void buf_put_u32(Buf *b, uint32_t v);
void buf_put_cstr(Buf *b, const char *s); /* with the NUL */

#endif
