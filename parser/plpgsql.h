/* The body of a PL/pgSQL function, as far as SQL is in it.
 *
 * The procedural language is followed just as closely as is needed to find every statement and sub-select
 * that the function sends to the server, byte for byte, and the variables that may stand in it. So what is
 * found can be judged as any other text, and an edit of it is an edit of the body. */
#ifndef PARSER_PLPGSQL_H
#define PARSER_PLPGSQL_H

#include "parser/facts.h"

typedef enum PlpgsqlKind {
    PLPGSQL_STATEMENT,  /* a statement of its own: INSERT, SELECT … INTO, CALL, … */
    PLPGSQL_QUERY,      /* behind PERFORM, RETURN QUERY, FOR … IN, OPEN … FOR, CURSOR FOR */
    PLPGSQL_EXPRESSION, /* a sub-select in an expression, or an expression with a FROM of its own */
    PLPGSQL_CONSTANT,   /* EXECUTE of a string constant: its text, in which variables mean nothing */
    PLPGSQL_DYNAMIC,    /* EXECUTE of anything else: `text` is the expression that makes it */
} PlpgsqlKind;

/* What the function sends at one place. `text` is as long as the body's part, from `prefix` on, and the same
 * but for what PL/pgSQL itself takes out of it (INTO and its targets, the word PERFORM), in whose places
 * there are spaces, or SELECT. So an offset in one is an offset in the other. */
typedef struct PlpgsqlPart {
    PlpgsqlKind kind;
    Str text;       /* NUL-terminated behind its length */
    uint32_t start; /* of its place in the body: of text[prefix] */
    uint32_t prefix;
    Span into;      /* in `text`: what was taken out; empty if nothing was */
    bool exact;     /* false: `text` has other bytes than the body, which must not be edited through it */
    bool returned;  /* its rows are the function's: RETURN QUERY */
    bool in_quotes; /* it stands in a string of the body, between single quotes */
    int64_t line;   /* of the body, from 1 */
    const FactsVariable *variables; /* that are visible there */
} PlpgsqlPart;

/* What an unqualified name is if it is both a variable's and a column's. */
typedef enum PlpgsqlConflict {
    PLPGSQL_CONFLICT_ERROR,
    PLPGSQL_USE_VARIABLE,
    PLPGSQL_USE_COLUMN
} PlpgsqlConflict;

typedef struct PlpgsqlBody {
    PlpgsqlPart *parts; /* in the order of the text */
    int nparts;
    bool has_conflict; /* the body says what follows; else it is the session's setting */
    PlpgsqlConflict conflict;
} PlpgsqlBody;

/* Reads a body. `parameters` are the function's parameters, with its name for a label, and what else is
 * visible all over the body, the innermost first; it outlives the result. NULL with `err` (42601 with the
 * line, 54000) if the body cannot be followed. All lives in `arena`. */
const PlpgsqlBody *plpgsql_parse(Arena *arena, Str body, const FactsVariable *parameters,
                                 Error *err) MUST_USE;

/* A string constant's value, and whether its bytes are those between its quotes. False if the token is not
 * one that can be read here. */
bool plpgsql_constant(Arena *arena, Str token, Str *value, uint32_t *open, bool *exact) MUST_USE;

#endif
