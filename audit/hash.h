/* uthash as the audit uses it: with a hash that is seeded per process, since fingerprints can be chosen by
 * clients, and memory that cannot be missing. Included instead of uthash.h, by .c files alone. */
#ifndef AUDIT_HASH_H
#define AUDIT_HASH_H

#include "base/mem.h"
#include "base/str.h"

#define HASH_FUNCTION(key, len, hash)                                                                        \
    do {                                                                                                     \
        (hash) = (unsigned)str_hash((Str){(const char *)(key), (len)});                                      \
    } while (0)
#define uthash_malloc(size) mem_alloc(size)

#include <uthash.h>

#endif
