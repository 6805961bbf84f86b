/* The scanner: what a byte means to the statement under way, and whether the statement ends with it. */
#include "cli/lint_split.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

#define WORD_MAX LINT_INPUT_AHEAD /* the longest dollar-quote tag or word that is recognised */

/* What the statement's first words have made of it, where that changes how it ends. */
typedef enum Opening {
    OPENING_START,
    OPENING_CREATE,
    OPENING_CREATE_OR,
    OPENING_ROUTINE,       /* CREATE FUNCTION or PROCEDURE: may have a body in BEGIN ATOMIC … END */
    OPENING_ROUTINE_BEGIN, /* … just behind BEGIN */
    OPENING_RULE,          /* CREATE RULE: its actions may stand in parentheses, with semicolons */
    OPENING_COPY,
    OPENING_COPY_FROM,
    OPENING_COPY_STDIN, /* data follows */
    OPENING_OTHER,
} Opening;

struct LintSplit {
    LintInput in;
    size_t max_bytes;

    Buf text; /* of the statement under way */
    bool cut;
    bool has_token;
    int64_t token_line;
    Opening opening;
    int parens;
    int atomic_depth;         /* BEGIN ATOMIC and CASE that are open */
    bool after_escape_string; /* E'…' has just ended: a string on a further line continues it */
    bool newline_after_string;
};

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
    lint_input_free(&split->in);
    free(split);
}

static inline int peek(LintSplit *s, size_t ahead) { return lint_input_peek(&s->in, ahead); }
static inline void advance(LintSplit *s) { lint_input_advance(&s->in); }

/* Consumes the next byte, and keeps it as part of the statement. */
static inline void take(LintSplit *s) {
    if (buf_len(&s->text) < s->max_bytes)
        buf_put_u8(&s->text, s->in.window[s->in.pos]);
    else
        s->cut = true;
    advance(s);
}

static bool is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_word_start(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}
static bool is_word(int c) { return is_word_start(c) || is_digit(c) || c == '$'; }

/* Tokens ------------------------------------------------------------------------------------------------- */

static void begin_token(LintSplit *s) {
    if (!s->has_token) {
        s->has_token = true;
        s->token_line = s->in.line;
    }
    s->after_escape_string = false;
}

static void take_quoted(LintSplit *s, int quote, bool backslashes) {
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

static void take_word(LintSplit *s) {
    begin_token(s);
    size_t len = 1;
    while (len < WORD_MAX - 1 && is_word(peek(s, len)))
        len++;
    if (len == 1 && (peek(s, 0) | 0x20) == 'e' && peek(s, 1) == '\'') {
        take(s);
        take_quoted(s, '\'', true);
        return;
    }
    note_word(s, len);
    for (size_t i = 0; i < len; i++)
        take(s);
}

static void take_other(LintSplit *s, int c) {
    begin_token(s);
    if (c == '(')
        s->parens++;
    else if (c == ')' && s->parens > 0)
        s->parens--;
    else if (s->opening == OPENING_START || s->opening == OPENING_COPY_FROM)
        s->opening = OPENING_OTHER;
    take(s);
    /* A number, a parameter: what follows the digits is no word of its own, and no dollar-quote's tag. */
    if (is_digit(c) || (c == '$' && is_digit(peek(s, 0))))
        while (is_digit(peek(s, 0)))
            take(s);
}

/* Backslash commands ---------------------------------------------------------------------------------- */

typedef enum MetaKind { META_SEND, META_RESET, META_COPY, META_LINE, META_INCLUDE, META_OTHER } MetaKind;

static const struct {
    MetaKind kind;
    const char *names; /* each between spaces */
} meta_commands[] = {
    {META_SEND, " g gx gset gexec gdesc crosstabview watch "},
    {META_RESET, " r reset "},
    {META_COPY, " copy "},
    {META_LINE, " ! ef ev sf sf+ sv sv+ h help "},
    {META_INCLUDE, " i ir include include_relative "},
};

static void clear_statement(LintSplit *s) {
    buf_clear(&s->text);
    s->cut = s->has_token = false;
    s->opening = OPENING_START;
    s->parens = s->atomic_depth = 0;
    s->after_escape_string = false;
}

/* Consumes a command's arguments: to the end of the line, or, unless `whole_line`, to an unquoted backslash,
 * where the next command (or, behind a second backslash, SQL) begins. */
static void skip_arguments(LintSplit *s, bool whole_line) {
    int quote = 0;
    for (int c; (c = peek(s, 0)) >= 0 && c != '\n'; advance(s)) {
        if (whole_line)
            continue;
        if (quote) {
            if (c == '\\' && quote == '\'' && peek(s, 1) >= 0 && peek(s, 1) != '\n')
                advance(s);
            else if (c == quote)
                quote = 0;
        } else if (c == '\'' || c == '"' || c == '`') {
            quote = c;
        } else if (c == '\\') {
            if (peek(s, 1) == '\\') {
                advance(s);
                advance(s);
            }
            return;
        }
    }
}

/* \copy is a COPY that psql runs for the script: its line is the statement. */
static void take_copy_line(LintSplit *s) {
    clear_statement(s);
    Str copy = STR_LIT("COPY");
    buf_append_str(&s->text, copy);
    s->has_token = true;
    s->token_line = s->in.line;
    s->opening = OPENING_COPY;
    for (int c; (c = peek(s, 0)) >= 0 && c != '\n' && c != '\r';) {
        if (c == '\'' || c == '"')
            take_quoted(s, c, false);
        else if (is_word_start(c))
            take_word(s);
        else if (is_space(c))
            take(s);
        else
            take_other(s, c);
    }
}

/* What follows the line is data if the statement has turned out to be a COPY … FROM STDIN. */
static void expect_copy(LintSplit *s) {
    if (s->opening == OPENING_COPY_STDIN)
        lint_input_expect_copy(&s->in);
}

/* At a backslash outside quotes. Returns whether the statement is complete. */
static bool scan_meta(LintSplit *s) {
    if (peek(s, 1) == ';') {
        advance(s);
        take(s);
        expect_copy(s);
        s->opening = OPENING_START;
        return false;
    }
    int64_t line = s->in.line;
    advance(s);
    char name[WORD_MAX] = " ";
    size_t len = 1;
    for (int c; len < sizeof(name) - 2 && (c = peek(s, 0)) > 0 && !is_space(c) && c != '\\'; advance(s))
        name[len++] = (char)c;
    name[len] = ' ';
    MetaKind kind = META_OTHER;
    for (size_t i = 0; i < ARRAY_LEN(meta_commands); i++)
        if (len > 1 && strstr(meta_commands[i].names, name))
            kind = meta_commands[i].kind;
    switch (kind) {
    case META_COPY:
        take_copy_line(s);
        return true;
    case META_RESET:
        clear_statement(s);
        break;
    case META_INCLUDE:
        s->in.notice(s->in.notice_arg, line, "the included file is not read: name it on the command line");
        break;
    default:
        break;
    }
    if (len == 1 && peek(s, 0) == '\\') /* "\\" alone separates a command from SQL */
        advance(s);
    else
        skip_arguments(s, kind == META_LINE);
    return kind == META_SEND;
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
            take_quoted(s, c, s->after_escape_string && s->newline_after_string);
        } else if (c == '"') {
            take_quoted(s, c, false);
        } else if (c == '$' && (tag = dollar_tag(s)) > 0) {
            begin_token(s);
            take_dollar_quoted(s, tag);
        } else if (is_word_start(c)) {
            take_word(s);
        } else if (c == '\\') {
            if (scan_meta(s))
                return;
        } else {
            take_other(s, c);
        }
    }
}

static const char byte_order_mark[] = "\xEF\xBB\xBF";

LintSplitResult lint_split_next(LintSplit *s, LintStatement *statement, Error *err) {
    if (s->in.window_offset == 0 && s->in.pos == 0 && peek(s, 2) >= 0 &&
        memcmp(s->in.window, byte_order_mark, 3) == 0)
        s->in.pos = 3;
    do {
        clear_statement(s);
        scan_statement(s);
        /* psql reads the data as soon as the statement is complete, but the line's rest is run first here as
         * there: only the lines behind it are data. */
        expect_copy(s);
    } while (!s->has_token && peek(s, 0) >= 0);
    if (s->in.read_errno) {
        error_set(err, "58030", "cannot read: %s", strerror(s->in.read_errno));
        return LINT_SPLIT_FAILED;
    }
    if (!s->has_token)
        return LINT_SPLIT_END;
    while (buf_len(&s->text) > 0 && is_space(s->text.data[s->text.end - 1]))
        s->text.end--;
    *buf_reserve(&s->text, 1) = '\0';
    *statement = (LintStatement){
        .text = {(const char *)buf_ptr(&s->text), buf_len(&s->text)}, .line = s->token_line, .cut = s->cut};
    return LINT_SPLIT_STATEMENT;
}
