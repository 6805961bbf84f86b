/* Splitting a script into statements, as psql does before it sends them.
 *
 * A linear scan that knows the lexer's quoting and nothing of grammar but what psql itself looks at: depth of
 * parentheses, and BEGIN … END in the body of a function that is written in SQL. */
#include <ctype.h>

#include "parser/ddl.h"

typedef struct Scan {
    const char *p, *end;
    int line;
} Scan;

static bool is_word_start(char c) { return isalpha((unsigned char)c) || c == '_' || (c & 0x80); }
static bool is_word(char c) { return is_word_start(c) || isdigit((unsigned char)c) || c == '$'; }
static char peek(const Scan *scan, size_t ahead) {
    return (size_t)(scan->end - scan->p) > ahead ? scan->p[ahead] : '\0';
}

static void advance(Scan *scan, size_t n) {
    for (; n > 0 && scan->p < scan->end; n--)
        scan->line += *scan->p++ == '\n';
}

static void skip_line(Scan *scan) {
    while (scan->p < scan->end && *scan->p != '\n')
        scan->p++;
    advance(scan, 1);
}

static void skip_block_comment(Scan *scan) {
    int depth = 0;

    do {
        if (peek(scan, 0) == '/' && peek(scan, 1) == '*') {
            depth++;
            advance(scan, 2);
        } else if (peek(scan, 0) == '*' && peek(scan, 1) == '/') {
            depth--;
            advance(scan, 2);
        } else {
            advance(scan, 1);
        }
    } while (depth > 0 && scan->p < scan->end);
}

/* White space and comments; returns whether there was any. */
static bool skip_space(Scan *scan) {
    const char *before = scan->p;

    for (;;) {
        char c = peek(scan, 0);

        if (scan->p == scan->end)
            break;
        if (isspace((unsigned char)c))
            advance(scan, 1);
        else if (c == '-' && peek(scan, 1) == '-')
            skip_line(scan);
        else if (c == '/' && peek(scan, 1) == '*')
            skip_block_comment(scan);
        else
            break;
    }
    return scan->p > before;
}

/* A quote doubled is skipped as two strings in a row, which comes to the same. */
static void skip_quoted(Scan *scan, char quote, bool backslash_escapes) {
    advance(scan, 1);
    while (scan->p < scan->end && *scan->p != quote)
        advance(scan, backslash_escapes && *scan->p == '\\' ? 2 : 1);
    advance(scan, 1);
}

/* $tag$ … $tag$; a lone dollar is one character. */
static void skip_dollar(Scan *scan) {
    const char *tag = scan->p, *p = tag + 1;
    size_t len;

    if (p < scan->end && is_word_start(*p)) {
        while (p < scan->end && *p != '$' && is_word(*p))
            p++;
    }
    if (p >= scan->end || *p != '$') {
        advance(scan, 1);
        return;
    }
    len = (size_t)(p - tag) + 1;
    advance(scan, len);
    while (scan->p < scan->end && !((size_t)(scan->end - scan->p) >= len && memcmp(scan->p, tag, len) == 0))
        advance(scan, 1);
    advance(scan, len);
}

static Str read_word(Scan *scan) {
    const char *start = scan->p;

    while (scan->p < scan->end && is_word(*scan->p))
        scan->p++;
    return (Str){start, (size_t)(scan->p - start)};
}

/* What the words seen so far say of the statement. */
typedef struct WordState {
    int nwords;
    bool create, routine, copy, from_stdin, last_was_from;
    int parens, blocks;
} WordState;

static void see_word(WordState *state, Str word) {
    state->nwords++;
    if (state->nwords == 1) {
        state->create = str_ieq(word, "create");
        state->copy = str_ieq(word, "copy");
    }
    if (state->create && state->nwords <= 4 && (str_ieq(word, "function") || str_ieq(word, "procedure")))
        state->routine = true;
    if (state->routine && state->parens == 0) {
        if (str_ieq(word, "begin") || (state->blocks > 0 && str_ieq(word, "case")))
            state->blocks++;
        else if (state->blocks > 0 && str_ieq(word, "end"))
            state->blocks--;
    }
    if (state->copy && state->last_was_from && str_ieq(word, "stdin"))
        state->from_stdin = true;
    state->last_was_from = str_ieq(word, "from");
}

/* One token that is neither white space nor a comment. */
static void skip_token(Scan *scan, WordState *state) {
    char c = *scan->p;

    if (c == '\'' || c == '"') {
        skip_quoted(scan, c, false);
    } else if (is_word_start(c)) {
        Str word = read_word(scan);

        if (word.len == 1 && (c == 'e' || c == 'E') && peek(scan, 0) == '\'')
            skip_quoted(scan, '\'', true);
        else
            see_word(state, word);
    } else if (isdigit((unsigned char)c)) {
        (void)read_word(scan);
    } else if (c == '$') {
        skip_dollar(scan);
    } else {
        state->parens += c == '(';
        state->parens -= c == ')' && state->parens > 0;
        advance(scan, 1);
    }
}

static void skip_copy_data(Scan *scan) {
    skip_line(scan);
    while (scan->p < scan->end) {
        const char *start = scan->p;
        Str line;

        skip_line(scan);
        line = (Str){start, (size_t)(scan->p - start)};
        while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
            line.len--;
        if (str_is(line, "\\."))
            return;
    }
}

bool ddl_next_statement(DdlSplitter *splitter, DdlStatement *statement) {
    Scan scan = {splitter->rest.ptr, splitter->rest.ptr + splitter->rest.len, splitter->line};
    WordState state = {0};
    const char *end;

    while (skip_space(&scan) || peek(&scan, 0) == '\\' || peek(&scan, 0) == ';') {
        if (peek(&scan, 0) == '\\')
            skip_line(&scan);
        else if (peek(&scan, 0) == ';')
            advance(&scan, 1);
    }
    statement->text.ptr = end = scan.p;
    statement->line = scan.line;
    while (scan.p < scan.end && !(*scan.p == ';' && state.parens == 0 && state.blocks == 0)) {
        skip_token(&scan, &state);
        end = scan.p;
        (void)skip_space(&scan);
    }
    statement->text.len = (size_t)(end - statement->text.ptr);
    if (statement->text.len == 0)
        return false;
    advance(&scan, 1);
    if (state.from_stdin)
        skip_copy_data(&scan);
    splitter->rest = (Str){scan.p, (size_t)(scan.end - scan.p)};
    splitter->line = scan.line;
    return true;
}
