/* PostgreSQL's lexical structure, as far as it decides where a token ends.
 *
 * Follows scan.l of PostgreSQL 15 with standard_conforming_strings on: what is a string, a quoted identifier,
 * a comment, a number, a parameter, an operator. No token has a value here; keywords are words. Nothing
 * fails: an unterminated string or comment is a token of kind LEX_UNTERMINATED that reaches to the end of the
 * text, a byte that no rule knows is a token of its own. Inline, because the shape of a statement, which is
 * computed for every statement that a client sends, is made with these pieces. */
#ifndef PARSER_LEX_H
#define PARSER_LEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

typedef enum LexKind {
    LEX_END,
    LEX_WORD,    /* identifier or keyword, not quoted */
    LEX_QUOTED,  /* "…", U&"…" */
    LEX_STRING,  /* '…', E'…', $tag$…$tag$ */
    LEX_UNICODE, /* U&'…' */
    LEX_BIT,     /* B'…' */
    LEX_HEX,     /* X'…' */
    LEX_NUMBER,
    LEX_PARAM, /* $1 */
    LEX_OPERATOR,
    LEX_PUNCT,        /* ( ) [ ] , ; . .. : :: := and whatever else stands alone */
    LEX_UNTERMINATED, /* a string, a quoted identifier or a comment without an end */
} LexKind;

typedef struct LexToken {
    LexKind kind;
    size_t start;
    size_t end;
} LexToken;

enum {
    LEX_IS_SPACE = 1,
    LEX_IS_IDENT_START = 2,
    LEX_IS_DIGIT = 4,
    LEX_IS_IDENT_CONT = 8, /* letters, digits, _ and $ */
    LEX_IS_OPERATOR = 16,
};

extern const uint8_t lex_class[256];

static inline bool lex_is(const char *s, size_t i, unsigned classes) {
    return (lex_class[(unsigned char)s[i]] & classes) != 0;
}

/* All functions below take the text as (s, n), a position in it, and return the position behind what they
 * passed over; n + 1 says that it has no end. */

static inline size_t lex_line_comment(const char *s, size_t n, size_t i) {
    while (i < n && s[i] != '\n' && s[i] != '\r')
        i++;
    return i;
}

/* s[i] is behind the opening of the outermost comment. */
static inline size_t lex_block_comment(const char *s, size_t n, size_t i) {
    size_t depth = 1;

    while (i + 1 < n) {
        if (s[i] == '*' && s[i + 1] == '/') {
            i += 2;
            if (--depth == 0)
                return i;
        } else if (s[i] == '/' && s[i + 1] == '*') {
            i += 2;
            depth++;
        } else {
            i++;
        }
    }
    return n + 1;
}

/* White space and comments; n + 1 if a comment has no end. */
static inline size_t lex_blank(const char *s, size_t n, size_t i) {
    for (;;) {
        while (i < n && lex_is(s, i, LEX_IS_SPACE))
            i++;
        if (i + 1 < n && s[i] == '-' && s[i + 1] == '-')
            i = lex_line_comment(s, n, i + 2);
        else if (i + 1 < n && s[i] == '/' && s[i + 1] == '*') {
            i = lex_block_comment(s, n, i + 2);
            if (i > n)
                return i;
        } else
            return i;
    }
}

size_t lex_quoted_string(const char *s, size_t n, size_t i, bool escapes, bool doubled);
size_t lex_dollar_string(const char *s, size_t n, size_t i);
size_t lex_operator(const char *s, size_t n, size_t i);

/* s[i] is behind the opening quote. */
static inline size_t lex_quoted_identifier(const char *s, size_t n, size_t i) {
    for (; i < n; i++) {
        if (s[i] != '"')
            continue;
        if (i + 1 >= n || s[i + 1] != '"')
            return i + 1;
        i++;
    }
    return n + 1;
}

static inline size_t lex_word(const char *s, size_t n, size_t i) {
    while (i < n && lex_is(s, i, LEX_IS_IDENT_CONT))
        i++;
    return i;
}

static inline size_t lex_digits(const char *s, size_t n, size_t i) {
    while (i < n && lex_is(s, i, LEX_IS_DIGIT))
        i++;
    return i;
}

/* s[i] is a digit, or a dot before one. `1..2` is 1, then two dots. */
static inline size_t lex_number(const char *s, size_t n, size_t i) {
    size_t exponent;

    i = lex_digits(s, n, i);
    if (i < n && s[i] == '.' && !(i + 1 < n && s[i + 1] == '.'))
        i = lex_digits(s, n, i + 1);
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        exponent = i + 1;
        if (exponent < n && (s[exponent] == '+' || s[exponent] == '-'))
            exponent++;
        if (exponent < n && lex_is(s, exponent, LEX_IS_DIGIT))
            i = lex_digits(s, n, exponent);
    }
    return i;
}

/* What a word of one letter with a quote behind it opens; LEX_WORD for none. *open is behind the quote. */
static inline LexKind lex_prefix(const char *s, size_t n, size_t i, size_t *open) {
    char c = (char)(s[i] | 0x20);

    if (i + 1 < n && s[i + 1] == '\'' && (c == 'e' || c == 'b' || c == 'x')) {
        *open = i + 2;
        return c == 'e' ? LEX_STRING : c == 'b' ? LEX_BIT : LEX_HEX;
    }
    if (c == 'u' && i + 2 < n && s[i + 1] == '&' && (s[i + 2] == '\'' || s[i + 2] == '"')) {
        *open = i + 3;
        return s[i + 2] == '"' ? LEX_QUOTED : LEX_UNICODE;
    }
    return LEX_WORD;
}

static inline LexToken lex_ended(LexKind kind, size_t start, size_t end, size_t n) {
    return end > n ? (LexToken){LEX_UNTERMINATED, start, n} : (LexToken){kind, start, end};
}

/* The token at s[i], which is neither white space nor a comment; i < n. */
static inline LexToken lex_token(const char *s, size_t n, size_t i) {
    unsigned classes = lex_class[(unsigned char)s[i]];
    size_t open = i;
    LexKind kind;

    if (classes & LEX_IS_IDENT_START) {
        kind = lex_prefix(s, n, i, &open);
        if (kind == LEX_WORD)
            return (LexToken){kind, i, lex_word(s, n, i + 1)};
        if (kind == LEX_QUOTED)
            return lex_ended(kind, i, lex_quoted_identifier(s, n, open), n);
        return lex_ended(
            kind, i,
            lex_quoted_string(s, n, open, kind == LEX_STRING, kind == LEX_STRING || kind == LEX_UNICODE), n);
    }
    if (classes & LEX_IS_DIGIT || (s[i] == '.' && i + 1 < n && lex_is(s, i + 1, LEX_IS_DIGIT)))
        return (LexToken){LEX_NUMBER, i, lex_number(s, n, i)};
    if (s[i] == '\'')
        return lex_ended(LEX_STRING, i, lex_quoted_string(s, n, i + 1, false, true), n);
    if (s[i] == '"')
        return lex_ended(LEX_QUOTED, i, lex_quoted_identifier(s, n, i + 1), n);
    if (s[i] == '$') {
        if (i + 1 < n && lex_is(s, i + 1, LEX_IS_DIGIT))
            return (LexToken){LEX_PARAM, i, lex_digits(s, n, i + 1)};
        open = lex_dollar_string(s, n, i);
        return open == i ? (LexToken){LEX_PUNCT, i, i + 1} : lex_ended(LEX_STRING, i, open, n);
    }
    if (classes & LEX_IS_OPERATOR)
        return (LexToken){LEX_OPERATOR, i, lex_operator(s, n, i)};
    if (i + 1 < n &&
        ((s[i] == '.' && s[i + 1] == '.') || (s[i] == ':' && (s[i + 1] == ':' || s[i + 1] == '='))))
        return (LexToken){LEX_PUNCT, i, i + 2};
    return (LexToken){LEX_PUNCT, i, i + 1};
}

/* The first token at or behind s[i]. */
static inline LexToken lex_next(const char *s, size_t n, size_t i) {
    size_t start = lex_blank(s, n, i);

    if (start > n)
        return (LexToken){LEX_UNTERMINATED, i, n};
    if (start >= n)
        return (LexToken){LEX_END, n, n};
    return lex_token(s, n, start);
}

static inline bool lex_is_char(const char *s, LexToken t, char c) {
    return t.end - t.start == 1 && s[t.start] == c && t.kind != LEX_WORD && t.kind != LEX_NUMBER;
}

/* Is the token this keyword, given in lower case? */
static inline bool lex_is_word(const char *s, LexToken t, const char *keyword) {
    size_t len = strlen(keyword);

    if (t.kind != LEX_WORD || t.end - t.start != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((s[t.start + i] >= 'A' && s[t.start + i] <= 'Z' ? s[t.start + i] | 0x20 : s[t.start + i]) !=
            keyword[i])
            return false;
    return true;
}

#endif
