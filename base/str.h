/* A string as pointer and length: what lies in a protocol message or a statement's text, not copied.
 * Never assumes a terminating NUL; the memory belongs to whoever made it. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

#define STR_LIT(s) ((Str){(s), sizeof(s) - 1})
#define STR_NONE ((Str){NULL, 0})
/* For "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline Str str_of(const char *s) { return (Str){s, s ? strlen(s) : 0}; }
static inline bool str_eq(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool str_is(Str a, const char *b) { return str_eq(a, str_of(b)); }
bool str_ieq(Str a, const char *b); /* ASCII case-insensitive */
Str str_trim(Str s);                /* without ASCII white space at both ends */

/* FNV-free, fast, seeded per process: not for anything that is stored or shown. */
uint64_t str_hash(Str s) MUST_USE;

#endif
