/* The shape of a text: what is neither a literal nor a comment is copied, what is one is replaced.
 *
 * Most bytes of a statement begin nothing and are looked at sixteen at a time. What is stopped at is what can
 * begin a literal, a parameter, a comment or a quoted identifier; what such a byte means depends on the word
 * that it may stand in or behind, and that is told by looking back, but never further than to where the last
 * of these ended:
 *
 *   0 .. copied      -- in the shape
 *   copied .. base   -- belongs to no word that is still open
 *   base .. i        -- words, blanks, operators, punctuation
 *   i .. n           -- to be looked at */
#include "parser/shape.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "parser/lex.h"

/* What stands for a literal of each kind, and for a comment. The parser tells an integer of 32 bits from a
 * larger one and from a decimal. A placeholder opens as its literal does, so that what stands before it stays
 * a token of its own: u&E'x' is no U&'x', and SELECT.5 no SELECT0. */
typedef struct Placeholder {
    char text[8]; /* copied whole, whatever its length */
    size_t len;
} Placeholder;

static const Placeholder placeholder_string = {"'?'", 3};
static const Placeholder placeholder_escaped = {"E'?'", 4};
static const Placeholder placeholder_dollar = {"$$?$$", 5};
static const Placeholder placeholder_unicode = {"U&'?'", 5};
static const Placeholder placeholder_bit = {"B'?'", 4};
static const Placeholder placeholder_hex = {"X'?'", 4};
static const Placeholder placeholder_integer = {"0", 1};
static const Placeholder placeholder_decimal = {"0.0", 3};
static const Placeholder placeholder_fraction = {".0", 2};
static const Placeholder placeholder_block_comment = {"/**/", 4};
static const Placeholder placeholder_line_comment = {"--", 2};
#define PLACEHOLDER_SIZE sizeof(placeholder_string.text)

/* A larger buffer is not kept for the next text. */
#define KEEP_MAX (64u * 1024u)

#define CHUNK 16

typedef struct Scan {
    Shape *shape;
    const char *s;
    size_t n;
    size_t copied;
    size_t base;
    char *out;
} Scan;

/* ---- where something may begin ---- */

static const bool stops[256] = {
    ['\''] = true, ['"'] = true, ['$'] = true, ['-'] = true, ['/'] = true, ['0' ... '9'] = true,
};

#ifdef __SSE2__
static inline __m128i in_range(__m128i bytes, char low, char high) {
    __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(low));

    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8((char)(high - low))), above);
}

/* A bit for each of the CHUNK bytes at `s` that is to be stopped at. Besides `stops` these are % & and #,
 * because one range costs less than three characters. */
static inline unsigned stops_in_chunk(const char *s) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)s);
    __m128i found = _mm_or_si128(in_range(bytes, '"', '\''), in_range(bytes, '/', '9'));

    found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    return (unsigned)_mm_movemask_epi8(found);
}

/* The next byte at or behind i that is to be stopped at, or n. */
static inline size_t next_stop(const char *s, size_t n, size_t i) {
    unsigned found;

    for (; i + CHUNK <= n; i += CHUNK)
        if ((found = stops_in_chunk(s + i)))
            return i + (size_t)__builtin_ctz(found);
    if (i < n && n >= CHUNK) {
        /* The last chunk reaches back over what has been looked at. */
        found = stops_in_chunk(s + n - CHUNK) >> (i - (n - CHUNK));
        return found ? i + (size_t)__builtin_ctz(found) : n;
    }
    while (i < n && !stops[(unsigned char)s[i]])
        i++;
    return i;
}
#else
static inline size_t next_stop(const char *s, size_t n, size_t i) {
    while (i < n && !stops[(unsigned char)s[i]])
        i++;
    return i;
}
#endif

/* ---- literals ---- */

static inline const Placeholder *number_placeholder(const char *s, size_t i, size_t end) {
    size_t digits;

    if (s[i] == '.')
        return &placeholder_fraction;
    while (i < end && s[i] == '0')
        i++;
    digits = lex_digits(s, end, i) - i;
    if (i + digits < end || digits > 10 || (digits == 10 && memcmp(s + i, "2147483647", 10) > 0))
        return &placeholder_decimal;
    return &placeholder_integer;
}

/* Appends what stands before `end` and is not in the shape yet. */
static inline void put_plain(Scan *scan, size_t end) {
    const char *from = scan->s + scan->copied;
    size_t len = end - scan->copied;

    if (scan->n - scan->copied >= len + CHUNK)
        for (size_t at = 0; at < len; at += CHUNK)
            memcpy(scan->out + at, from + at, CHUNK); /* the last one takes along what is written over */
    else
        memcpy(scan->out, from, len);
    scan->out += len;
    scan->copied = end;
}

/* Puts the placeholder where the literal start .. end stands. False for one literal too many. */
static inline bool put_literal(Scan *scan, size_t start, size_t end, const Placeholder *placeholder) {
    if (scan->shape->nliterals == SHAPE_MAX_LITERALS)
        return false;
    scan->shape->literals[scan->shape->nliterals++] = (Span){(uint32_t)start, (uint32_t)end};
    put_plain(scan, start);
    memcpy(scan->out, placeholder->text, PLACEHOLDER_SIZE);
    scan->out += placeholder->len;
    scan->copied = scan->base = end;
    return true;
}

/* Does the byte before s[i] belong to a word? */
static inline bool in_word(const Scan *scan, size_t i) {
    return i > scan->base && lex_is(scan->s, i - 1, LEX_IS_IDENT_CONT);
}

/* ---- what a byte that was stopped at begins: each returns where to go on, n + 1 where there is no shape */

static inline size_t at_digit(Scan *scan, size_t i) {
    const char *s = scan->s;
    size_t n = scan->n, start = i, end, dots = 0;

    if (in_word(scan, i))
        return lex_word(s, n, i + 1);
    /* Dots pair up from the left: behind an odd number of them, the last one is the number's. */
    while (i - dots > scan->base && s[i - dots - 1] == '.')
        dots++;
    if (dots & 1)
        start--;
    end = lex_number(s, n, start);
    /* `1x` is an error to some versions of PostgreSQL and two tokens, or a hexadecimal number, to others. */
    if (end < n && lex_is(s, end, LEX_IS_IDENT_START))
        return n + 1;
    return put_literal(scan, start, end, number_placeholder(s, start, end)) ? end : n + 1;
}

/* What the word of one letter, or U&, right before the quote at s[i] makes of the string: where it begins. */
static inline LexKind string_kind(const Scan *scan, size_t i, size_t *start) {
    size_t open = i;
    LexKind kind;

    if (i > scan->base && lex_is(scan->s, i - 1, LEX_IS_IDENT_START))
        *start = i - 1;
    else if (i > scan->base + 1 && scan->s[i - 1] == '&' && lex_is(scan->s, i - 2, LEX_IS_IDENT_START))
        *start = i - 2;
    else
        *start = i;
    if (*start < i && !in_word(scan, *start)) {
        kind = lex_prefix(scan->s, scan->n, *start, &open);
        if (kind != LEX_WORD)
            return kind;
    }
    *start = i;
    return LEX_STRING;
}

static inline size_t at_quote(Scan *scan, size_t i) {
    size_t start;
    LexKind kind = string_kind(scan, i, &start);
    bool escapes = kind == LEX_STRING && start < i;
    size_t end =
        lex_quoted_string(scan->s, scan->n, i + 1, escapes, kind == LEX_STRING || kind == LEX_UNICODE);
    const Placeholder *placeholder = kind == LEX_UNICODE ? &placeholder_unicode
                                     : kind == LEX_BIT   ? &placeholder_bit
                                     : kind == LEX_HEX   ? &placeholder_hex
                                     : escapes           ? &placeholder_escaped
                                                         : &placeholder_string;

    return end <= scan->n && put_literal(scan, start, end, placeholder) ? end : scan->n + 1;
}

static size_t at_double_quote(Scan *scan, size_t i) {
    size_t start;

    /* The name in U&"…" may depend on a literal, that of UESCAPE. */
    if (string_kind(scan, i, &start) == LEX_QUOTED)
        return scan->n + 1;
    return scan->base = lex_quoted_identifier(scan->s, scan->n, i + 1);
}

static size_t at_dollar(Scan *scan, size_t i) {
    const char *s = scan->s;
    size_t n = scan->n, end;

    if (in_word(scan, i))
        return lex_word(s, n, i + 1);
    if (i + 1 < n && lex_is(s, i + 1, LEX_IS_DIGIT))
        return scan->base = lex_digits(s, n, i + 2);
    end = lex_dollar_string(s, n, i);
    if (end == i)
        return scan->base = i + 1;
    return end <= n && put_literal(scan, i, end, &placeholder_dollar) ? end : n + 1;
}

static size_t at_comment(Scan *scan, size_t i) {
    const char *s = scan->s;
    size_t n = scan->n, end;
    bool line = s[i] == '-';

    if (i + 1 >= n || s[i + 1] != (line ? '-' : '*'))
        return i + 1;
    end = line ? lex_line_comment(s, n, i + 2) : lex_block_comment(s, n, i + 2);
    if (end > n)
        return end;
    return put_literal(scan, i, end, line ? &placeholder_line_comment : &placeholder_block_comment) ? end
                                                                                                    : n + 1;
}

static inline size_t at_stop(Scan *scan, size_t i) {
    switch (scan->s[i]) {
    case '0' ... '9':
        return at_digit(scan, i);
    case '\'':
        return at_quote(scan, i);
    case '$':
        return at_dollar(scan, i);
    case '"':
        return at_double_quote(scan, i);
    case '-':
    case '/':
        return at_comment(scan, i);
    default:
        return i + 1;
    }
}

bool shape_of(Shape *shape, Str text) {
    Scan scan = {.shape = shape, .s = text.ptr, .n = text.len};
    size_t i = 0;
    char *start;

    shape->nliterals = 0;
    shape->hash = 0;
    shape->text = STR_NONE;
    shape->buf.start = shape->buf.end = 0;
    if (shape->buf.cap > KEEP_MAX)
        buf_free(&shape->buf);
    if (text.len > UINT32_MAX || memchr(text.ptr, '\0', text.len))
        return false;
    start = (char *)buf_reserve(&shape->buf, text.len + (SHAPE_MAX_LITERALS + 1) * PLACEHOLDER_SIZE);
    scan.out = start;
    while ((i = next_stop(scan.s, scan.n, i)) < scan.n)
        i = at_stop(&scan, i);
    if (i > scan.n)
        return false;
    put_plain(&scan, scan.n);
    shape->text = (Str){start, (size_t)(scan.out - start)};
    shape->buf.end += shape->text.len;
    shape->hash = str_hash(shape->text);
    return true;
}

void shape_free(Shape *shape) {
    buf_free(&shape->buf);
    shape->text = STR_NONE;
    shape->nliterals = 0;
}

uint32_t shape_map(const Span *from, const Span *to, int nliterals, uint32_t offset) {
    int low = 0, high = nliterals;

    /* The last literal that begins at or before the offset is low - 1. */
    while (low < high) {
        int middle = low + (high - low) / 2;

        if (from[middle].start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return offset;
    if (offset < from[low - 1].end)
        return to[low - 1].start;
    return to[low - 1].end + (offset - from[low - 1].end);
}
