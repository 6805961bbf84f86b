/* PostgreSQL's lexical structure: character classes, and the tokens that are too long to be inlined. */
#include "parser/lex.h"

#define IDENT_START (LEX_IS_IDENT_START | LEX_IS_IDENT_CONT)

const uint8_t lex_class[256] = {
    [' '] = LEX_IS_SPACE,          ['\t'] = LEX_IS_SPACE,
    ['\n'] = LEX_IS_SPACE,         ['\r'] = LEX_IS_SPACE,
    ['\f'] = LEX_IS_SPACE,         ['A' ... 'Z'] = IDENT_START,
    ['a' ... 'z'] = IDENT_START,   ['_'] = IDENT_START,
    [0x80 ... 0xFF] = IDENT_START, ['0' ... '9'] = LEX_IS_DIGIT | LEX_IS_IDENT_CONT,
    ['$'] = LEX_IS_IDENT_CONT,     ['~'] = LEX_IS_OPERATOR,
    ['!'] = LEX_IS_OPERATOR,       ['@'] = LEX_IS_OPERATOR,
    ['#'] = LEX_IS_OPERATOR,       ['^'] = LEX_IS_OPERATOR,
    ['&'] = LEX_IS_OPERATOR,       ['|'] = LEX_IS_OPERATOR,
    ['`'] = LEX_IS_OPERATOR,       ['?'] = LEX_IS_OPERATOR,
    ['+'] = LEX_IS_OPERATOR,       ['-'] = LEX_IS_OPERATOR,
    ['*'] = LEX_IS_OPERATOR,       ['/'] = LEX_IS_OPERATOR,
    ['%'] = LEX_IS_OPERATOR,       ['<'] = LEX_IS_OPERATOR,
    ['>'] = LEX_IS_OPERATOR,       ['='] = LEX_IS_OPERATOR,
};

/* A string goes on behind its quote if white space with a line break, in which there may be comments to the
 * end of the line, and another quote follow. Returns the position behind that quote, or `i`. */
static size_t continuation(const char *s, size_t n, size_t i) {
    size_t at = i;
    bool line_break = false;

    while (at < n) {
        if (lex_is(s, at, LEX_IS_SPACE)) {
            line_break = line_break || s[at] == '\n' || s[at] == '\r';
            at++;
        } else if (at + 1 < n && s[at] == '-' && s[at + 1] == '-') {
            at = lex_line_comment(s, n, at + 2);
        } else {
            break;
        }
    }
    return at < n && s[at] == '\'' && line_break ? at + 1 : i;
}

/* s[i] is behind the opening quote. Escapes: a backslash takes the character behind it along. Doubled: two
 * quotes stand for one. Continuations belong to the string. */
size_t lex_quoted_string(const char *s, size_t n, size_t i, bool escapes, bool doubled) {
    size_t next;

    while (i < n) {
        if (escapes && s[i] == '\\') {
            i += 2;
        } else if (s[i] != '\'') {
            i++;
        } else if (doubled && i + 1 < n && s[i + 1] == '\'') {
            i += 2;
        } else {
            next = continuation(s, n, i + 1);
            if (next == i + 1)
                return next;
            i = next;
        }
    }
    return n + 1;
}

/* s[i] is "$". Returns `i` if no $tag$ stands there. */
size_t lex_dollar_string(const char *s, size_t n, size_t i) {
    size_t tag = i + 1, len;
    const char *close;

    if (tag < n && lex_is(s, tag, LEX_IS_IDENT_START))
        while (tag < n && lex_is(s, tag, LEX_IS_IDENT_CONT) && s[tag] != '$')
            tag++;
    if (tag >= n || s[tag] != '$')
        return i;
    len = tag + 1 - i;
    close = memmem(s + i + len, n - i - len, s + i, len);
    return close ? (size_t)(close - s) + len : n + 1;
}

/* s[i] is an operator's character, and no comment begins there. Where an operator of several characters ends
 * in + or -, these belong to it only if it has one of the characters that no operator of the SQL standard
 * has. */
size_t lex_operator(const char *s, size_t n, size_t i) {
    size_t end = i + 1;
    bool own_kind = memchr("~!@#^&|`?%", s[i], 10) != NULL;

    while (end < n && lex_is(s, end, LEX_IS_OPERATOR)) {
        if (end + 1 < n && ((s[end] == '-' && s[end + 1] == '-') || (s[end] == '/' && s[end + 1] == '*')))
            break;
        own_kind = own_kind || memchr("~!@#^&|`?%", s[end], 10) != NULL;
        end++;
    }
    if (!own_kind)
        while (end > i + 1 && (s[end - 1] == '+' || s[end - 1] == '-'))
            end--;
    return end;
}
