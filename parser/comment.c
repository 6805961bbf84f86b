/* Key and value in sqlcommenter's comments.
 *
 * A comment counts as a whole or not at all: what does not parse to its end is no such comment. So a pair in
 * the middle of a sentence, or in a hint, is not taken for one. */
#include "parser/comment.h"

#include "parser/lex.h"

/* A comment's content: pos .. end is to be read. */
typedef struct Pairs {
    const char *s;
    size_t pos, end;
    Buf key, value; /* of the current pair, decoded */
} Pairs;

/* Is there an opening of a block comment, be it in a string? */
static bool may_have_comment(Str text) {
    const char *at = text.ptr, *end = text.ptr + text.len;

    while (at < end && (at = memchr(at, '/', (size_t)(end - at))) != NULL) {
        if (at + 1 < end && at[1] == '*')
            return true;
        at++;
    }
    return false;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* No value has a NUL. */
static bool take_byte(Pairs *p, Buf *out) {
    if (p->pos >= p->end || p->s[p->pos] == '\0')
        return false;
    buf_put_u8(out, (uint8_t)p->s[p->pos++]);
    return true;
}

/* Appends the character at pos, which may be %xx. False for % without two digits, and for a NUL. */
static bool take_character(Pairs *p, Buf *out) {
    int high, low;

    if (p->s[p->pos] != '%')
        return take_byte(p, out);
    if (p->end - p->pos < 3)
        return false;
    high = hex_digit(p->s[p->pos + 1]);
    low = hex_digit(p->s[p->pos + 2]);
    if (high < 0 || low < 0 || high + low == 0)
        return false;
    buf_put_u8(out, (uint8_t)(high * 16 + low));
    p->pos += 3;
    return true;
}

static void skip_blanks(Pairs *p) {
    while (p->pos < p->end && lex_is(p->s, p->pos, LEX_IS_SPACE))
        p->pos++;
}

static bool take(Pairs *p, char c) {
    if (p->pos >= p->end || p->s[p->pos] != c)
        return false;
    p->pos++;
    return true;
}

static bool take_key(Pairs *p) {
    p->key.start = p->key.end = 0;
    while (p->pos < p->end && p->s[p->pos] != '=' && p->s[p->pos] != '\'' && p->s[p->pos] != ',' &&
           !lex_is(p->s, p->pos, LEX_IS_SPACE))
        if (!take_character(p, &p->key))
            return false;
    return buf_len(&p->key) > 0;
}

static bool take_value(Pairs *p) {
    p->value.start = p->value.end = 0;
    if (!take(p, '\''))
        return false;
    while (p->pos < p->end && p->s[p->pos] != '\'') {
        bool taken = take(p, '\\') ? take_byte(p, &p->value) : take_character(p, &p->value);

        if (!taken)
            return false;
    }
    return take(p, '\'');
}

/* key='value', with blanks around it. */
static bool take_pair(Pairs *p) {
    skip_blanks(p);
    if (!take_key(p) || !take(p, '=') || !take_value(p))
        return false;
    skip_blanks(p);
    return true;
}

typedef struct Search {
    Str key;
    Buf *value;
    Pairs pairs; /* of the current comment */
    bool found;
    bool ambiguous;
} Search;

static Str buf_text(const Buf *b) { return (Str){(const char *)buf_ptr(b), buf_len(b)}; }

/* Notes the current pair's value if it has the key. */
static void note(Search *s) {
    if (!str_eq(buf_text(&s->pairs.key), s->key))
        return;
    if (s->found) {
        s->ambiguous = s->ambiguous || !str_eq(buf_text(&s->pairs.value), buf_text(s->value));
        return;
    }
    s->found = true;
    buf_append_str(s->value, buf_text(&s->pairs.value));
}

static bool is_well_formed(Pairs *p) {
    do
        if (!take_pair(p))
            return false;
    while (take(p, ','));
    return p->pos == p->end;
}

static void search_comment(Search *s, Str text, size_t start, size_t end) {
    Pairs *p = &s->pairs;

    p->s = text.ptr;
    p->pos = start;
    p->end = end;
    if (!is_well_formed(p))
        return;
    p->pos = start;
    do {
        if (!take_pair(p))
            return;
        note(s);
    } while (take(p, ','));
}

/* Calls search_comment for each block comment from i on. Stops where something has no end. */
static void search_text(Search *s, Str text) {
    size_t i = 0, n = text.len, end;

    while (i < n) {
        if (lex_is(text.ptr, i, LEX_IS_SPACE)) {
            i++;
        } else if (i + 1 < n && text.ptr[i] == '-' && text.ptr[i + 1] == '-') {
            i = lex_line_comment(text.ptr, n, i + 2);
        } else if (i + 1 < n && text.ptr[i] == '/' && text.ptr[i + 1] == '*') {
            end = lex_block_comment(text.ptr, n, i + 2);
            if (end > n)
                return;
            search_comment(s, text, i + 2, end - 2);
            i = end;
        } else {
            i = lex_token(text.ptr, n, i).end;
        }
    }
}

bool comment_tenant(Str text, const char *key, Buf *value) {
    Search s = {.key = str_of(key), .value = value};

    value->start = value->end = 0;
    if (!may_have_comment(text))
        return false;
    search_text(&s, text);
    buf_free(&s.pairs.key);
    buf_free(&s.pairs.value);
    s.found = s.found && !s.ambiguous && buf_len(value) > 0;
    if (!s.found)
        value->start = value->end = 0;
    return s.found;
}
