/* UTF-8: validation as the server does it (src/common/wchar.c), and counting. */
#include "base/utf8.h"

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

static inline uint64_t load8(const uint8_t *p) {
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static inline bool is_tail(uint8_t c) { return (c & 0xC0) == 0x80; }

/* The length of the multibyte character at the front of `left` > 0 bytes, 0 if it is not one. */
static size_t multibyte_length(const uint8_t *p, size_t left) {
    uint8_t c = p[0];

    if (c >= 0xC2 && c <= 0xDF)
        return left >= 2 && is_tail(p[1]) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (left < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        /* Overlong below U+0800; surrogates U+D800 to U+DFFF. */
        return (c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) ? 0 : 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (left < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
            return 0;
        /* Overlong below U+10000; beyond U+10FFFF. */
        return (c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F) ? 0 : 4;
    }
    return 0;
}

bool utf8_valid(Str s) {
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;

    while (i < s.len) {
        size_t n;

        /* Eight bytes in 0x01 to 0x7F: a zero byte borrows into its high bit, the others have theirs. */
        if (s.len - i >= 8) {
            uint64_t w = load8(p + i);

            if ((((w - ONES) | w) & HIGHS) == 0) {
                i += 8;
                continue;
            }
        }
        if (p[i] < 0x80)
            n = p[i] != 0;
        else
            n = multibyte_length(p + i, s.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t utf8_count(Str s) {
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t tails = 0;
    size_t i = 0;

    for (; s.len - i >= 8; i += 8) {
        uint64_t w = load8(p + i);

        tails += (size_t)__builtin_popcountll((w >> 7) & ~(w >> 6) & ONES);
    }
    for (; i < s.len; i++)
        tails += is_tail(p[i]);
    return s.len - tails;
}

size_t utf8_offset(Str s, size_t chars) {
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;

    while (chars > 0 && i < s.len) {
        if (chars >= 8 && s.len - i >= 8 && (load8(p + i) & HIGHS) == 0) {
            i += 8;
            chars -= 8;
            continue;
        }
        for (i++; i < s.len && is_tail(p[i]); i++)
            ;
        chars--;
    }
    return i;
}
