/* psql's backslash commands: those that send, drop or bring a statement; all others are passed over. */
#include <string.h>

#include "cli/lint_split_internal.h"

typedef enum MetaKind {
    META_SEND,
    META_RESET,
    META_COPY,
    META_LINE,
    META_INCLUDE,
    META_GEXEC,
    META_OTHER
} MetaKind;

static const struct {
    MetaKind kind;
    const char *names; /* each between spaces */
} meta_commands[] = {
    {META_SEND, " g gx gset gdesc crosstabview watch parse sendpipeline "},
    {META_GEXEC, " gexec "},
    {META_RESET, " r reset "},
    {META_COPY, " copy "},
    {META_LINE, " ! ef ev sf sf+ sv sv+ h help "},
    {META_INCLUDE, " i ir include include_relative "},
};

void lint_split_clear(LintSplit *s) {
    buf_clear(&s->text);
    s->cut = s->has_token = s->altered = false;
    s->variables.n = 0;
    s->opening = OPENING_START;
    s->parens = s->brackets = s->atomic_depth = 0;
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

/* Passes over the next word of an argument, in quotes or not; puts its beginning into `word`, in lower case.
 */
static void pass_word(LintSplit *s, char *word, size_t size) {
    size_t n = 0;
    while (is_space(peek(s, 0)) && peek(s, 0) != '\n')
        advance(s);
    bool quoted = peek(s, 0) == '\'';
    for (int c; (c = peek(s, 0)) >= 0 && c != '\n' && (quoted || !is_space(c));) {
        advance(s);
        if (n < size - 1)
            word[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        if (quoted && n > 1 && c == '\'') {
            if (peek(s, 0) != '\'')
                break;
            advance(s);
        }
    }
    word[n] = '\0';
}

/* Behind FROM or TO: whatever the file is, psql reads or writes it, and the server gets STDIN or STDOUT. */
static void take_copy_file(LintSplit *s, bool from) {
    char word[16];
    Str put = from ? STR_LIT(" STDIN") : STR_LIT(" STDOUT");
    pass_word(s, word, sizeof(word));
    bool inline_data = from && strcmp(word, "stdin") == 0;
    if (strcmp(word, "program") == 0)
        pass_word(s, word, sizeof(word));
    buf_append_str(&s->text, put);
    s->opening = inline_data ? OPENING_COPY_STDIN : OPENING_OTHER;
}

/* \copy is a COPY that psql runs for the script: its line is the statement. */
static void take_copy_line(LintSplit *s) {
    lint_split_clear(s);
    Str copy = STR_LIT("COPY");
    buf_append_str(&s->text, copy);
    s->has_token = s->altered = true;
    s->token_line = s->in.line;
    s->opening = OPENING_COPY;
    for (int c; (c = peek(s, 0)) >= 0 && c != '\n' && c != '\r';) {
        if (c == '\'' || c == '"') {
            lint_split_take_quoted(s, c, false);
        } else if (is_word_start(c)) {
            size_t start = buf_len(&s->text);
            bool open = s->parens == 0 && s->opening <= OPENING_COPY_FROM;
            lint_split_take_word(s);
            Str word = {(const char *)buf_ptr(&s->text) + start, buf_len(&s->text) - start};
            if (open && (str_ieq(word, "from") || str_ieq(word, "to")))
                take_copy_file(s, str_ieq(word, "from"));
        } else if (is_space(c)) {
            take(s);
        } else {
            lint_split_take_other(s, c);
        }
    }
}

void lint_split_expect_copy(LintSplit *s) {
    if (s->opening == OPENING_COPY_STDIN)
        lint_input_expect_copy(&s->in);
}

bool lint_split_meta(LintSplit *s) {
    if (peek(s, 1) == ';') {
        advance(s);
        take(s);
        lint_split_expect_copy(s);
        s->opening = OPENING_START;
        s->altered = true;
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
        lint_split_clear(s);
        break;
    case META_INCLUDE:
        s->in.notice(s->in.notice_arg, line, "the included file is not read: name it on the command line");
        break;
    case META_GEXEC:
        s->in.notice(s->in.notice_arg, line, "what \\gexec runs, the results of the query, is not known");
        break;
    default:
        break;
    }
    if (len == 1 && peek(s, 0) == '\\') /* "\\" alone separates a command from SQL */
        advance(s);
    else
        skip_arguments(s, kind == META_LINE);
    bool sends = kind == META_SEND || kind == META_GEXEC;
    s->altered |= !sends && buf_len(&s->text) > 0;
    return sends;
}
