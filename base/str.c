/* Strings as pointer and length: comparison, trimming, hashing. */
#include "base/str.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t hash_seed;

/* Set before main, so that every thread reads it without synchronisation. */
__attribute__((constructor)) static void choose_hash_seed(void) {
    struct timespec now;

    if (getrandom(&hash_seed, sizeof(hash_seed), 0) == (ssize_t)sizeof(hash_seed))
        return;
    /* A kernel or a sandbox without getrandom: weaker, and still different in every process. */
    clock_gettime(CLOCK_REALTIME, &now);
    hash_seed =
        (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 16 ^ (uintptr_t)&now;
}

uint64_t str_hash(Str s) { return XXH3_64bits_withSeed(s.ptr, s.len, hash_seed); }

static inline unsigned char ascii_lower(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool str_ieq(Str a, const char *b) {
    if (strlen(b) != a.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower((unsigned char)a.ptr[i]) != ascii_lower((unsigned char)b[i]))
            return false;
    return true;
}

static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Str str_trim(Str s) {
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    return s;
}
