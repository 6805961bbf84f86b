/* The shape of a text: one pass that copies what is not a literal and replaces what is. */
#include "parser/shape.h"

#include "parser/lex.h"

/* What stands for a literal of each kind. The kinds are those that the parser tells apart: an integer of 32
 * bits is another kind of constant than a larger one or a decimal, and a string with UESCAPE behind it is one
 * only with U& before it. */
static const Str placeholder_string = {"'?'", 3};
static const Str placeholder_unicode = {"U&'?'", 5};
static const Str placeholder_bit = {"B'?'", 4};
static const Str placeholder_hex = {"X'?'", 4};
static const Str placeholder_integer = {"0", 1};
static const Str placeholder_decimal = {"0.0", 3};
static const Str placeholder_fraction = {".0", 2}; /* may follow a word without a blank: SELECT.5 */
#define PLACEHOLDER_MAX 5

/* A larger buffer is not kept for the next text. */
#define KEEP_MAX (64u * 1024u)

static Str placeholder(const char *s, LexToken t) {
    size_t i = t.start, digits;

    switch (t.kind) {
    case LEX_STRING:
        return placeholder_string;
    case LEX_UNICODE:
        return placeholder_unicode;
    case LEX_BIT:
        return placeholder_bit;
    case LEX_HEX:
        return placeholder_hex;
    default:
        break;
    }
    if (s[i] == '.')
        return placeholder_fraction;
    while (i < t.end && s[i] == '0')
        i++;
    digits = lex_digits(s, t.end, i) - i;
    if (i + digits < t.end || digits > 10 || (digits == 10 && memcmp(s + i, "2147483647", 10) > 0))
        return placeholder_decimal;
    return placeholder_integer;
}

static inline bool is_literal(LexKind kind) { return kind >= LEX_STRING && kind <= LEX_NUMBER; }

/* Where the next literal may begin: passes over what certainly begins none. */
static inline size_t skip_plain(const char *s, size_t n, size_t i) {
    while (i < n && (s[i] == ' ' || s[i] == ',' || s[i] == '(' || s[i] == ')' || s[i] == '='))
        i++;
    return i;
}

bool shape_of(Shape *shape, Str text) {
    const char *s = text.ptr;
    size_t n = text.len, copied = 0, i = 0;
    char *start, *out;

    shape->nliterals = 0;
    shape->hash = 0;
    shape->text = STR_NONE;
    shape->buf.start = shape->buf.end = 0;
    if (shape->buf.cap > KEEP_MAX)
        buf_free(&shape->buf);
    if (n > UINT32_MAX || memchr(s, '\0', n))
        return false;
    out = start = (char *)buf_reserve(&shape->buf, n + (size_t)SHAPE_MAX_LITERALS * PLACEHOLDER_MAX + 1);
    while ((i = lex_blank(s, n, skip_plain(s, n, i))) < n) {
        LexToken t = lex_token(s, n, i);
        Str literal;

        i = t.end;
        if (!is_literal(t.kind)) {
            if (t.kind == LEX_UNTERMINATED)
                return false;
            continue;
        }
        /* `1x` is an error to some versions of PostgreSQL and two tokens, or a hexadecimal number, to others.
         */
        if (t.kind == LEX_NUMBER && i < n && lex_is(s, i, LEX_IS_IDENT_START))
            return false;
        if (shape->nliterals == SHAPE_MAX_LITERALS)
            return false;
        shape->literals[shape->nliterals++] = (Span){(uint32_t)t.start, (uint32_t)t.end};
        literal = placeholder(s, t);
        memcpy(out, s + copied, t.start - copied);
        out += t.start - copied;
        memcpy(out, literal.ptr, literal.len);
        out += literal.len;
        copied = t.end;
    }
    if (i > n)
        return false;
    memcpy(out, s + copied, n - copied);
    out += n - copied;
    shape->buf.end += (size_t)(out - start);
    shape->text = (Str){start, (size_t)(out - start)};
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
