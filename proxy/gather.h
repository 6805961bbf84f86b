/* Collecting what goes to a stream during one read, so that it leaves in one system call.
 *
 * Ranges of the buffer that was read are sent from where they lie; neighbouring ones are joined, so that an
 * untouched batch of messages is one piece. Bytes that the proxy makes are copied into `own`. Everything must
 * be flushed before the read buffer is used again. */
#ifndef PROXY_GATHER_H
#define PROXY_GATHER_H

#include "proxy/stream.h"

#define GATHER_PIECES 32

typedef struct Gather {
    Stream *to;
    uv_buf_t pieces[GATHER_PIECES];
    unsigned npieces;
    Buf *own; /* the worker's; empty between batches */
} Gather;

static inline void gather_begin(Gather *g, Stream *to, Buf *own) {
    g->to = to;
    g->npieces = 0;
    g->own = own;
}

void gather_flush(Gather *g);

/* Bytes that stay valid until gather_flush. */
static inline void gather_range(Gather *g, const uint8_t *data, size_t size) {
    if (size == 0)
        return;
    if (g->npieces > 0) {
        uv_buf_t *last = &g->pieces[g->npieces - 1];
        if ((const uint8_t *)last->base + last->len == data) {
            last->len += size;
            return;
        }
    }
    if (g->npieces == GATHER_PIECES)
        gather_flush(g);
    g->pieces[g->npieces++] = uv_buf_init((char *)(uintptr_t)data, (unsigned)size);
}

/* Bytes that may go away after the call. */
void gather_copy(Gather *g, const void *data, size_t size);

#endif
