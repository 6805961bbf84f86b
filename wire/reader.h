/* A cursor over a payload: takes values from its front, never a byte behind its end. For the decoders of this
 * folder. */
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

/* Each take returns false, and leaves the rest alone, if the rest is too short for it. */
MUST_USE static inline bool reader_take_bytes(Str *rest, size_t n, Str *bytes) {
    if (rest->len < n)
        return false;
    *bytes = (Str){rest->ptr, n};
    if (n > 0)
        *rest = (Str){rest->ptr + n, rest->len - n};
    return true;
}

MUST_USE static inline bool reader_take_u8(Str *rest, uint8_t *v) {
    Str bytes;

    if (!reader_take_bytes(rest, sizeof(*v), &bytes))
        return false;
    *v = (uint8_t)bytes.ptr[0];
    return true;
}

MUST_USE static inline bool reader_take_u16(Str *rest, uint16_t *v) {
    Str bytes;

    if (!reader_take_bytes(rest, sizeof(*v), &bytes))
        return false;
    memcpy(v, bytes.ptr, sizeof(*v));
    *v = ntohs(*v);
    return true;
}

MUST_USE static inline bool reader_take_u32(Str *rest, uint32_t *v) {
    Str bytes;

    if (!reader_take_bytes(rest, sizeof(*v), &bytes))
        return false;
    memcpy(v, bytes.ptr, sizeof(*v));
    *v = ntohl(*v);
    return true;
}

/* A string up to its NUL, which is taken too but not counted. */
MUST_USE static inline bool reader_take_cstr(Str *rest, Str *s) {
    const char *nul = rest->len > 0 ? memchr(rest->ptr, '\0', rest->len) : NULL;

    if (!nul)
        return false;
    *s = (Str){rest->ptr, (size_t)(nul - rest->ptr)};
    *rest = (Str){nul + 1, rest->len - s->len - 1};
    return true;
}

#endif
