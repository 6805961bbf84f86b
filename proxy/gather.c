/* Sending a batch. */
#include "proxy/gather.h"

#include <string.h>

void gather_flush(Gather *g) {
    if (g->npieces > 0)
        stream_write_pieces(g->to, g->pieces, g->npieces);
    g->npieces = 0;
    buf_clear(g->own);
}

void gather_copy(Gather *g, const void *data, size_t size) {
    /* Pieces point into `own`: it must not move while they do. */
    if (g->own->end + size > g->own->cap) {
        gather_flush(g);
    }
    uint8_t *place = buf_reserve(g->own, size);
    memcpy(place, data, size);
    g->own->end += size;
    gather_range(g, place, size);
}
