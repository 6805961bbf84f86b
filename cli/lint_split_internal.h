/* What the two halves of the splitter share: SQL (lint_split.c) and backslash commands (lint_split_meta.c).
 */
#ifndef CLI_LINT_SPLIT_INTERNAL_H
#define CLI_LINT_SPLIT_INTERNAL_H

#include "base/buf.h"
#include "cli/lint_split.h"
#include "cli/lint_variables.h"

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
    bool altered; /* `text` is not what stands in the script from text_line, text_column on */
    int64_t token_line;
    int64_t text_line;
    int text_column;
    LintVariables variables; /* in `text` */
    Buf parsed;              /* `text` with parameters for them */
    Opening opening;
    int parens;
    int brackets;
    int atomic_depth;         /* BEGIN ATOMIC and CASE that are open */
    bool after_escape_string; /* E'…' has just ended: a string on a further line continues it */
    bool newline_after_string;

    bool strings_escape; /* standard_conforming_strings is off: a backslash in '…' escapes */
};

static inline int peek(LintSplit *s, size_t ahead) { return lint_input_peek(&s->in, ahead); }
static inline void advance(LintSplit *s) { lint_input_advance(&s->in); }

/* Consumes the next byte, and keeps it as part of the statement. */
static inline void take(LintSplit *s) {
    if (buf_len(&s->text) == 0) {
        s->text_line = s->in.line;
        s->text_column = s->in.column;
    }
    if (s->in.copies > 0 && s->in.window[s->in.pos] == '\n')
        s->altered = true; /* data follows, and the text behind it */
    if (buf_len(&s->text) < s->max_bytes)
        buf_put_u8(&s->text, s->in.window[s->in.pos]);
    else
        s->cut = true;
    advance(s);
}

static inline bool is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline bool is_digit(int c) { return c >= '0' && c <= '9'; }
static inline bool is_word_start(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}
static inline bool is_word(int c) { return is_word_start(c) || is_digit(c) || c == '$'; }

/* A quoted string or name; `backslashes` escape in it. */
void lint_split_take_quoted(LintSplit *s, int quote, bool backslashes);
/* A word, which may change what the statement is. */
void lint_split_take_word(LintSplit *s);
/* Any other character. */
void lint_split_take_other(LintSplit *s, int c);

/* Forgets the statement under way. */
void lint_split_clear(LintSplit *s);
/* What follows the line is data if the statement has turned out to be a COPY … FROM STDIN. */
void lint_split_expect_copy(LintSplit *s);
/* At a backslash outside quotes. Returns whether the statement is complete. */
bool lint_split_meta(LintSplit *s) MUST_USE;

#endif
