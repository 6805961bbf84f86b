/* The scanner: what a byte means to the statement under way, and whether the statement ends with it. */
#include "cli/lint_split.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/lint_split_internal.h"
#include "parser/lex.h"

LintSplit *lint_split_new(int fd, size_t max_bytes, LintNotice *notice, void *arg) {
    LintSplit *s = MEM_NEW(LintSplit);
    lint_input_init(&s->in, fd, notice, arg);
    s->max_bytes = max_bytes;
    return s;
}

void lint_split_free(LintSplit *split) {
    if (!split)
        return;
    buf_free(&split->text);
    buf_free(&split->parsed);
    lint_variables_free(&split->variables);
    lint_input_free(&split->in);
    free(split);
}

/* Tokens ------------------------------------------------------------------------------------------------- */

static void begin_token(LintSplit *s) {
    if (!s->has_token) {
        s->has_token = true;
        s->token_line = s->in.line;
    }
    s->after_escape_string = false;
}

void lint_split_take_quoted(LintSplit *s, int quote, bool backslashes) {
    begin_token(s);
    take(s);
    for (int c; (c = peek(s, 0)) >= 0;) {
        take(s);
        if (c == '\\' && backslashes && peek(s, 0) >= 0)
            take(s);
        else if (c == quote && peek(s, 0) == quote)
            take(s);
        else if (c == quote)
            break;
    }
    s->after_escape_string = backslashes;
    s->newline_after_string = false;
}

/* Length of the tag at the next byte, both dollars included; 0 if that is none. */
static size_t dollar_tag(LintSplit *s) {
    size_t n = 1;
    if (is_word_start(peek(s, 1)))
        while (n < WORD_MAX - 1 && is_word(peek(s, n)) && peek(s, n) != '$')
            n++;
    return peek(s, n) == '$' ? n + 1 : 0;
}

static void take_dollar_quoted(LintSplit *s, size_t len) {
    uint8_t tag[WORD_MAX];
    memcpy(tag, s->in.window + s->in.pos, len);
    for (size_t i = 0; i < len; i++)
        take(s);
    while (peek(s, 0) >= 0) {
        /* peek of the last byte has the whole candidate in the window. */
        bool end =
            peek(s, 0) == '$' && peek(s, len - 1) >= 0 && memcmp(s->in.window + s->in.pos, tag, len) == 0;
        for (size_t i = 0; i < (end ? len : 1); i++)
            take(s);
        if (end)
            return;
    }
}

static void skip_line_comment(LintSplit *s) {
    /* Kept only inside a statement, where a hint may stand in it. */
    bool keep = buf_len(&s->text) > 0;
    for (int c; (c = peek(s, 0)) >= 0 && c != '\n' && c != '\r';) {
        if (keep)
            take(s);
        else
            advance(s);
    }
}

static void take_block_comment(LintSplit *s) {
    int depth = 0;
    do {
        int opens = peek(s, 0) == '/' && peek(s, 1) == '*', closes = peek(s, 0) == '*' && peek(s, 1) == '/';
        depth += opens - closes;
        if (opens || closes)
            take(s);
        take(s);
    } while (depth > 0 && peek(s, 0) >= 0);
}

/* One row: in `state`, `word` leads to `next`; any other word leads to OPENING_OTHER. */
static const struct {
    Opening state;
    const char *word;
    Opening next;
} openings[] = {
    {OPENING_START, "create", OPENING_CREATE},        {OPENING_START, "copy", OPENING_COPY},
    {OPENING_CREATE, "or", OPENING_CREATE_OR},        {OPENING_CREATE_OR, "replace", OPENING_CREATE},
    {OPENING_CREATE, "function", OPENING_ROUTINE},    {OPENING_CREATE, "procedure", OPENING_ROUTINE},
    {OPENING_CREATE, "rule", OPENING_RULE},           {OPENING_COPY, "from", OPENING_COPY_FROM},
    {OPENING_COPY_FROM, "stdin", OPENING_COPY_STDIN},
};

static bool word_is(const LintSplit *s, size_t len, const char *word) {
    return strlen(word) == len && strncasecmp((const char *)s->in.window + s->in.pos, word, len) == 0;
}

/* The states that one unquoted word, in the window, changes. */
static void note_word(LintSplit *s, size_t len) {
    switch (s->opening) {
    case OPENING_ROUTINE:
    case OPENING_ROUTINE_BEGIN:
        if (s->parens > 0)
            return;
        if (s->opening == OPENING_ROUTINE_BEGIN && word_is(s, len, "atomic"))
            s->atomic_depth++;
        else if (s->atomic_depth > 0 && word_is(s, len, "case"))
            s->atomic_depth++;
        else if (s->atomic_depth > 0 && word_is(s, len, "end"))
            s->atomic_depth--;
        s->opening = word_is(s, len, "begin") ? OPENING_ROUTINE_BEGIN : OPENING_ROUTINE;
        return;
    case OPENING_RULE:
    case OPENING_COPY_STDIN:
    case OPENING_OTHER:
        return;
    default:
        break;
    }
    /* The table's name, or anything in the column list of a COPY. */
    bool stays = s->opening == OPENING_COPY;
    if (stays && s->parens > 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        if (openings[i].state == s->opening && word_is(s, len, openings[i].word)) {
            s->opening = openings[i].next;
            return;
        }
    }
    if (!stays)
        s->opening = OPENING_OTHER;
}

void lint_split_take_word(LintSplit *s) {
    begin_token(s);
    size_t len = 1;
    while (len < WORD_MAX - 1 && is_word(peek(s, len)))
        len++;
    if (len == 1 && (peek(s, 0) | 0x20) == 'e' && peek(s, 1) == '\'') {
        take(s);
        lint_split_take_quoted(s, '\'', true);
        return;
    }
    note_word(s, len);
    for (size_t i = 0; i < len; i++)
        take(s);
}

void lint_split_take_other(LintSplit *s, int c) {
    begin_token(s);
    if (c == '(')
        s->parens++;
    else if (c == ')' && s->parens > 0)
        s->parens--;
    else if (c == '[')
        s->brackets++;
    else if (c == ']' && s->brackets > 0)
        s->brackets--;
    else if (s->opening == OPENING_START || s->opening == OPENING_COPY_FROM)
        s->opening = OPENING_OTHER;
    take(s);
    /* A number, a parameter: what follows the digits is no word of its own, and no dollar-quote's tag. */
    if (is_digit(c) || (c == '$' && is_digit(peek(s, 0))))
        while (is_digit(peek(s, 0)))
            take(s);
}

/* At a colon. In brackets it may be an array's slice. */
static void take_colon(LintSplit *s) {
    size_t ahead = 1;
    if (peek(s, 1) == ':' || peek(s, 1) == '=') {
        lint_split_take_other(s, ':');
        take(s);
        return;
    }
    while (ahead < WORD_MAX - 1 && peek(s, ahead) >= 0)
        ahead++;
    size_t len = lint_variables_reference((Str){(const char *)s->in.window + s->in.pos, ahead});
    if (len == 0 || s->brackets > 0) {
        lint_split_take_other(s, ':');
        return;
    }
    begin_token(s);
    lint_variables_add(&s->variables, buf_len(&s->text));
    while (len-- > 0)
        take(s);
}

/* Statements ------------------------------------------------------------------------------------------ */

/* Consumes up to the end of a statement (semicolon, sending command) or of the input. */
static void scan_statement(LintSplit *s) {
    for (int c; (c = peek(s, 0)) >= 0;) {
        size_t tag;
        if (c == ';') {
            if (s->atomic_depth == 0 && !(s->opening == OPENING_RULE && s->parens > 0)) {
                advance(s);
                return;
            }
            take(s);
        } else if (is_space(c)) {
            s->newline_after_string |= c == '\n';
            if (buf_len(&s->text) > 0)
                take(s);
            else
                advance(s);
        } else if (c == '-' && peek(s, 1) == '-') {
            skip_line_comment(s);
        } else if (c == '/' && peek(s, 1) == '*') {
            take_block_comment(s);
        } else if (c == '\'') {
            lint_split_take_quoted(s, c,
                                   s->strings_escape || (s->after_escape_string && s->newline_after_string));
        } else if (c == '"') {
            lint_split_take_quoted(s, c, false);
        } else if (c == '$' && (tag = dollar_tag(s)) > 0) {
            begin_token(s);
            take_dollar_quoted(s, tag);
        } else if (is_word_start(c)) {
            lint_split_take_word(s);
        } else if (c == ':') {
            take_colon(s);
        } else if (c == '\\') {
            if (lint_split_meta(s))
                return;
        } else {
            lint_split_take_other(s, c);
        }
    }
}

/* SET standard_conforming_strings decides where the strings of further statements end. */
static void note_setting(LintSplit *s, Str text) {
    LexToken t = lex_next(text.ptr, text.len, 0);
    if (!lex_is_word(text.ptr, t, "set"))
        return;
    do
        t = lex_next(text.ptr, text.len, t.end);
    while (lex_is_word(text.ptr, t, "session") || lex_is_word(text.ptr, t, "local"));
    if (!lex_is_word(text.ptr, t, "standard_conforming_strings"))
        return;
    t = lex_next(text.ptr, text.len, t.end); /* = or TO */
    t = lex_next(text.ptr, text.len, t.end);
    Str value = {text.ptr + t.start, t.end - t.start};
    if (t.kind == LEX_STRING && value.len >= 2)
        value = (Str){value.ptr + 1, value.len - 2};
    s->strings_escape =
        str_ieq(value, "off") || str_ieq(value, "false") || str_ieq(value, "no") || str_is(value, "0");
}

static LintStatement statement_of(LintSplit *s) {
    while (buf_len(&s->text) > 0 && is_space(s->text.data[s->text.end - 1]))
        s->text.end--;
    *buf_reserve(&s->text, 1) = '\0';
    Str text = {(const char *)buf_ptr(&s->text), buf_len(&s->text)};
    LintStatement statement = {.text = text, .line = s->token_line, .cut = s->cut};
    if (s->strings_escape && memchr(text.ptr, '\\', text.len))
        statement.obstacle = "standard_conforming_strings is off";
    if (!s->altered) {
        statement.text_line = s->text_line;
        statement.text_column = s->text_column;
    }
    if (s->variables.n > 0) {
        lint_variables_replace(&s->variables, text, &s->parsed);
        statement.parsed = (Str){(const char *)buf_ptr(&s->parsed), buf_len(&s->parsed)};
        statement.stand_ins = true;
    }
    note_setting(s, text);
    return statement;
}

static const char byte_order_mark[] = "\xEF\xBB\xBF";

LintSplitResult lint_split_next(LintSplit *s, LintStatement *statement, Error *err) {
    if (s->in.window_offset == 0 && s->in.pos == 0 && peek(s, 2) >= 0 &&
        memcmp(s->in.window, byte_order_mark, 3) == 0)
        s->in.pos = 3;
    do {
        lint_split_clear(s);
        scan_statement(s);
        /* psql reads the data as soon as the statement is complete, but the line's rest is run first here as
         * there: only the lines behind it are data. */
        lint_split_expect_copy(s);
    } while (!s->has_token && peek(s, 0) >= 0);
    if (s->in.read_errno) {
        error_set(err, "58030", "cannot read: %s", strerror(s->in.read_errno));
        return LINT_SPLIT_FAILED;
    }
    if (!s->has_token)
        return LINT_SPLIT_END;
    *statement = statement_of(s);
    return LINT_SPLIT_STATEMENT;
}
