/* What the files of the PL/pgSQL reader share. */
#ifndef PARSER_PLPGSQL_INTERNAL_H
#define PARSER_PLPGSQL_INTERNAL_H

#include "parser/lex.h"
#include "parser/plpgsql.h"

/* Blocks, loops and conditions in each other: more are nobody's. */
#define PLPGSQL_MAX_DEPTH 500

typedef struct Plpgsql {
    Arena *arena;
    Str body;
    LexToken token; /* the next one */
    size_t last;    /* the end of the one before it */
    int depth;
    bool failed;
    Error *err;
    const FactsVariable *visible;
    int nvariables; /* numbers given so far */
    PlpgsqlBody *out;
    int capacity;
    size_t counted; /* lines are known up to here */
    int64_t line;
} Plpgsql;

/* ---- plpgsql_scan.c ---- */

void plpgsql_next(Plpgsql *p);
/* The token behind the next one. */
LexToken plpgsql_peek(const Plpgsql *p) MUST_USE;
bool plpgsql_at(const Plpgsql *p, const char *word) MUST_USE;
bool plpgsql_at_char(const Plpgsql *p, char c) MUST_USE;
bool plpgsql_at_text(const Plpgsql *p, const char *text) MUST_USE;
/* Passes over the word if it is the next token. */
bool plpgsql_take(Plpgsql *p, const char *word);
bool plpgsql_take_char(Plpgsql *p, char c);
/* The same, and fails if it is another. */
void plpgsql_want(Plpgsql *p, const char *word);
void plpgsql_want_char(Plpgsql *p, char c);
void plpgsql_fail(Plpgsql *p, const char *expected);

/* Whether the next token is an identifier, quoted or not; its name, folded. */
bool plpgsql_at_name(const Plpgsql *p) MUST_USE;
const char *plpgsql_name(Plpgsql *p) MUST_USE;

/* Passes over everything up to one of the words, NULL-terminated, or to a semicolon, outside parentheses. A
 * word of no letters stands for itself: "..", ",". Returns what was passed over. */
Span plpgsql_skip(Plpgsql *p, const char *const *until);

/* Makes variables visible. */
void plpgsql_declare(Plpgsql *p, const char *name, const char *label);

/* ---- plpgsql_part.c ---- */

/* A text that stands in the body as it is. `into`, `word`: ranges of the body that are spaces, and SELECT. */
void plpgsql_add_statement(Plpgsql *p, PlpgsqlKind kind, Span span, Span into, Span word);
/* What an expression asks the server. */
void plpgsql_add_expression(Plpgsql *p, Span span);
/* What stands behind EXECUTE. */
void plpgsql_add_dynamic(Plpgsql *p, Span span);

/* ---- plpgsql.c ---- */

/* A list of statements, up to the word that ends it. */
void plpgsql_statements(Plpgsql *p);
/* What ends with END and a word: the word, a label, a semicolon. */
void plpgsql_end_of(Plpgsql *p, const char *word);
/* Behind EXECUTE: the text, INTO, USING, in any order. */
void plpgsql_dynamic(Plpgsql *p, const char *const *until);

/* ---- plpgsql_loop.c ---- */

/* A loop with its semicolon, if the next token begins one. */
bool plpgsql_loop(Plpgsql *p, const char *label) MUST_USE;

/* ---- plpgsql_declare.c ---- */

/* The sections behind DECLARE, up to BEGIN. */
void plpgsql_declarations(Plpgsql *p, const char *label);

#endif
