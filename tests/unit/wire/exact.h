/* Bytes in a block of exactly their size, so that AddressSanitizer sees a read of the byte behind them. */
#ifndef TESTS_UNIT_WIRE_EXACT_H
#define TESTS_UNIT_WIRE_EXACT_H

#include "base/mem.h"
#include "base/str.h"

/* The caller frees ptr. */
static inline Str exact_copy(const void *data, size_t len) {
    char *copy = mem_alloc(len);

    if (len > 0)
        memcpy(copy, data, len);
    return (Str){copy, len};
}

#endif
