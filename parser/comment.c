/* Key and value in sqlcommenter's comments.
 *
 * A comment counts as a whole or not at all: what does not parse to its end is no such comment. So a pair in
 * the middle of a sentence, or in a hint, is not taken for one. */
#include "parser/comment.h"

#include "parser/facts.h"
#include "parser/lex.h"

/* A comment's content: pos .. end is to be read. */
typedef struct Pairs {
    const char *s;
    size_t pos, end;
    Span key, value; /* of the current pair, as written */
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

/* Reads the character at *pos, which may be %xx, or one behind a backslash, in s[*pos .. end). Returns -1 for
 * % without two digits, for a backslash without anything, and for a NUL, which no value has. */
static int next_character(const char *s, size_t *pos, size_t end) {
    size_t i = *pos;
    int high, low;

    if (s[i] == '\\')
        i++;
    if (i >= end || s[i] == '\0')
        return -1;
    if (s[*pos] != '%') {
        *pos = i + 1;
        return (uint8_t)s[i];
    }
    if (end - i < 3)
        return -1;
    high = hex_digit(s[i + 1]);
    low = hex_digit(s[i + 2]);
    *pos = i + 3;
    return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
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

/* A quote ends both; blanks and what separates pairs end a key. */
static bool ends_text(char c, bool is_key) {
    return c == '\'' || (is_key && (c == '=' || c == ',' || lex_is(&c, 0, LEX_IS_SPACE)));
}

/* False if it is not well encoded. */
static bool take_text(Pairs *p, bool is_key, Span *text) {
    size_t i = p->pos;

    while (i < p->end && !ends_text(p->s[i], is_key)) {
        if (p->s[i] != '%' && p->s[i] != '\\' && p->s[i] != '\0')
            i++;
        else if (next_character(p->s, &i, p->end) < 0)
            return false;
    }
    *text = (Span){(uint32_t)p->pos, (uint32_t)i};
    p->pos = i;
    return true;
}

/* key='value', with blanks around it. */
static bool take_pair(Pairs *p) {
    skip_blanks(p);
    if (!take_text(p, true, &p->key) || p->key.end == p->key.start || !take(p, '=') || !take(p, '\'') ||
        !take_text(p, false, &p->value) || !take(p, '\''))
        return false;
    skip_blanks(p);
    return true;
}

static bool is_well_formed(Pairs p) {
    do
        if (!take_pair(&p))
            return false;
    while (take(&p, ','));
    return p.pos == p.end;
}

/* Is this what the text says, decoded? */
static bool decodes_to(const Pairs *p, Span text, Str decoded) {
    size_t pos = text.start, n = 0;

    for (; pos < text.end; n++)
        if (n >= decoded.len || next_character(p->s, &pos, text.end) != (uint8_t)decoded.ptr[n])
            return false;
    return n == decoded.len;
}

typedef struct Search {
    Str key;
    Buf *value;
    bool found;
    bool ambiguous;
} Search;

/* Notes the current pair's value if it has the key. */
static void note(Search *s, const Pairs *p) {
    size_t pos = p->value.start;

    if (!decodes_to(p, p->key, s->key))
        return;
    if (s->found) {
        Str known = {(const char *)buf_ptr(s->value), buf_len(s->value)};

        s->ambiguous = s->ambiguous || !decodes_to(p, p->value, known);
        return;
    }
    s->found = true;
    while (pos < p->value.end)
        buf_put_u8(s->value, (uint8_t)next_character(p->s, &pos, p->value.end));
}

static void search_comment(Search *s, Str text, size_t start, size_t end) {
    Pairs p = {.s = text.ptr, .pos = start, .end = end};

    if (!is_well_formed(p))
        return;
    while (take_pair(&p)) {
        note(s, &p);
        if (!take(&p, ','))
            return;
    }
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
    if (text.len > UINT32_MAX || !may_have_comment(text))
        return false;
    search_text(&s, text);
    s.found = s.found && !s.ambiguous && buf_len(value) > 0;
    if (!s.found)
        value->start = value->end = 0;
    return s.found;
}
