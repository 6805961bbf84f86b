/* Growable byte buffers: growing, giving back, and the protocol's integers. */
#include "base/buf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUF_FIRST 256u

uint8_t *buf_grow(Buf *b, size_t room) {
    size_t len = buf_len(b);
    size_t need = room <= SIZE_MAX - len ? len + room : SIZE_MAX;
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;
    uint8_t *data;

    /* Reclaiming the consumed front is worth its copy only while the front is the larger part: a long
     * content consumed in small steps would be copied over and over. */
    if (need <= b->cap && b->start >= len) {
        memmove(b->data, b->data + b->start, len);
    } else {
        while (cap < need)
            cap = cap <= SIZE_MAX / 2 ? cap * 2 : SIZE_MAX;
        if (cap == b->cap)
            cap *= 2;
        data = b->start == 0 ? mem_realloc(b->data, cap) : mem_alloc(cap);
        if (b->start > 0) {
            memcpy(data, b->data + b->start, len);
            free(b->data);
        }
        b->data = data;
        b->cap = cap;
    }
    b->start = 0;
    b->end = len;
    return b->data + len;
}

void buf_consume(Buf *b, size_t n) {
    assert(n <= buf_len(b));
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buf_clear(Buf *b) {
    if (b->cap > BUF_KEEP_MAX)
        buf_free(b);
    b->start = b->end = 0;
}

void buf_free(Buf *b) {
    free(b->data);
    *b = (Buf){0};
}

void buf_append(Buf *b, const void *data, size_t len) {
    if (len == 0)
        return;
    memcpy(buf_reserve(b, len), data, len);
    b->end += len;
}

void buf_append_str(Buf *b, Str s) { buf_append(b, s.ptr, s.len); }

void buf_append_cstr(Buf *b, const char *s) { buf_append(b, s, strlen(s)); }

void buf_printf(Buf *b, const char *fmt, ...) {
    size_t room = 128;
    va_list args;
    int n;

    for (;;) {
        char *where = (char *)buf_reserve(b, room);

        va_start(args, fmt);
        n = vsnprintf(where, room, fmt, args);
        va_end(args);
        /* Only a text above INT_MAX bytes fails here. */
        if (n < 0)
            abort();
        if ((size_t)n < room)
            break;
        room = (size_t)n + 1;
    }
    b->end += (size_t)n;
}

void buf_put_u8(Buf *b, uint8_t v) { buf_append(b, &v, sizeof(v)); }

void buf_put_u16(Buf *b, uint16_t v) {
    v = htons(v);
    buf_append(b, &v, sizeof(v));
}

void buf_put_u32(Buf *b, uint32_t v) {
    v = htonl(v);
    buf_append(b, &v, sizeof(v));
}

void buf_put_cstr(Buf *b, const char *s) { buf_append(b, s, strlen(s) + 1); }
