/* The scanner works on a window of the input:
 *
 *   0 .. pos     -- consumed
 *   pos .. len   -- read, at least LOOKAHEAD bytes of it unless the input ends earlier
 *
 * Every byte is consumed by `advance`, the one place that counts lines and that, at the end of a line on
 * which a COPY … FROM STDIN was complete, leaps over its data, as psql does whatever else that line has
 * begun. */
#include "cli/lint_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define WINDOW_BYTES 65536
#define LOOKAHEAD 256 /* the longest dollar-quote tag or word that is recognised */

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
    int fd;
    size_t max_bytes;
    LintNotice *notice;
    void *notice_arg;

    uint8_t *window;
    size_t pos, len;
    int64_t window_offset; /* of window[0] in the input */
    bool at_end;           /* nothing more can be read */
    int read_errno;
    int64_t line;

    int copies;           /* COPY … FROM STDIN whose data begins with the next line */
    bool copies_dataless; /* no "\." stands in what follows: they are listed, not run */

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
    s->fd = fd;
    s->max_bytes = max_bytes;
    s->notice = notice;
    s->notice_arg = arg;
    s->window = mem_alloc(WINDOW_BYTES);
    s->line = 1;
    off_t here = lseek(fd, 0, SEEK_CUR);
    s->window_offset = here < 0 ? 0 : here;
    return s;
}

void lint_split_free(LintSplit *split) {
    if (!split)
        return;
    buf_free(&split->text);
    free(split->window);
    free(split);
}

static void fill(LintSplit *s) {
    memmove(s->window, s->window + s->pos, s->len - s->pos);
    s->window_offset += (int64_t)s->pos;
    s->len -= s->pos;
    s->pos = 0;
    while (!s->at_end && s->len < LOOKAHEAD) {
        ssize_t n = read(s->fd, s->window + s->len, WINDOW_BYTES - s->len);
        if (n > 0) {
            s->len += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            s->read_errno = n == 0 ? 0 : errno;
            s->at_end = true;
        }
    }
}

/* The byte that is `ahead` (less than LOOKAHEAD) behind the next one; -1 at the end. */
static inline int peek(LintSplit *s, size_t ahead) {
    if (s->len - s->pos <= ahead && !s->at_end)
        fill(s);
    return s->len - s->pos > ahead ? s->window[s->pos + ahead] : -1;
}

static void skip_copies(LintSplit *s);

static inline void advance(LintSplit *s) {
    if (s->window[s->pos++] != '\n')
        return;
    s->line++;
    if (s->copies > 0)
        skip_copies(s);
}

/* Consumes the next byte, and keeps it as part of the statement. */
static inline void take(LintSplit *s) {
    if (buf_len(&s->text) < s->max_bytes)
        buf_put_u8(&s->text, s->window[s->pos]);
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

/* COPY data ------------------------------------------------------------------------------------------- */

/* Consumes one line of data; returns whether it was "\.". */
static bool skip_data_line(LintSplit *s) {
    bool end = peek(s, 0) == '\\' && peek(s, 1) == '.' &&
               (peek(s, 2) == '\n' || peek(s, 2) == -1 || (peek(s, 2) == '\r' && peek(s, 3) == '\n'));
    while (peek(s, 0) >= 0) {
        uint8_t *from = s->window + s->pos;
        uint8_t *newline = memchr(from, '\n', s->len - s->pos);
        if (newline) {
            s->pos = (size_t)(newline - s->window) + 1;
            s->line++;
            break;
        }
        s->pos = s->len;
    }
    return end;
}

static void skip_copies(LintSplit *s) {
    int64_t start = s->window_offset + (int64_t)s->pos, line = s->line;
    while (s->copies > 0 && peek(s, 0) >= 0)
        s->copies -= skip_data_line(s);
    if (s->copies == 0 || s->read_errno)
        return;
    s->copies = 0;
    if (lseek(s->fd, start, SEEK_SET) == start) {
        s->window_offset = start;
        s->pos = s->len = 0;
        s->at_end = false;
        s->line = line;
        s->copies_dataless = true;
    } else {
        s->notice(s->notice_arg, line,
                  "the data of COPY FROM STDIN has no end (\\.): the rest of the input was "
                  "taken to be data");
    }
}

/* Tokens ------------------------------------------------------------------------------------------------- */

static void begin_token(LintSplit *s) {
    if (!s->has_token) {
        s->has_token = true;
        s->token_line = s->line;
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
        while (n < LOOKAHEAD - 1 && is_word(peek(s, n)) && peek(s, n) != '$')
            n++;
    return peek(s, n) == '$' ? n + 1 : 0;
}

static void take_dollar_quoted(LintSplit *s, size_t len) {
    uint8_t tag[LOOKAHEAD];
    memcpy(tag, s->window + s->pos, len);
    for (size_t i = 0; i < len; i++)
        take(s);
    while (peek(s, 0) >= 0) {
        /* peek of the last byte has the whole candidate in the window. */
        bool end = peek(s, 0) == '$' && peek(s, len - 1) >= 0 && memcmp(s->window + s->pos, tag, len) == 0;
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
    return strlen(word) == len && strncasecmp((const char *)s->window + s->pos, word, len) == 0;
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
    while (len < LOOKAHEAD - 1 && is_word(peek(s, len)))
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
    s->token_line = s->line;
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

/* At a backslash outside quotes. Returns whether the statement is complete. */
static bool scan_meta(LintSplit *s) {
    if (peek(s, 1) == ';') {
        advance(s);
        take(s);
        s->copies += s->opening == OPENING_COPY_STDIN && !s->copies_dataless;
        s->opening = OPENING_START;
        return false;
    }
    int64_t line = s->line;
    advance(s);
    char name[LOOKAHEAD] = " ";
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
        s->notice(s->notice_arg, line, "the included file is not read: name it on the command line");
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
    if (s->window_offset == 0 && s->pos == 0 && peek(s, 2) >= 0 && memcmp(s->window, byte_order_mark, 3) == 0)
        s->pos = 3;
    do {
        clear_statement(s);
        scan_statement(s);
        /* psql reads the data as soon as the statement is complete, but the line's rest is run first here as
         * there: only the lines behind it are data. */
        s->copies += s->opening == OPENING_COPY_STDIN && !s->copies_dataless;
    } while (!s->has_token && peek(s, 0) >= 0);
    if (s->read_errno) {
        error_set(err, "58030", "cannot read: %s", strerror(s->read_errno));
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
