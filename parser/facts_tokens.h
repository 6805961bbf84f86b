/* The tokens of a text as an array, with what tells its structure: which parentheses belong together, which
 * words are keywords, and in which parentheses a query stands.
 *
 * The parser's tree knows where few things begin and nearly nothing's end; what else is to be known is found
 * here. A parenthesis is passed over in one step, so that looking at each level of a nested statement takes
 * no more than the tokens of that level. */
#ifndef PARSER_FACTS_TOKENS_H
#define PARSER_FACTS_TOKENS_H

#include "base/arena.h"
#include "parser/facts.h"
#include "parser/lex.h"

/* The keywords that tell where a part of a statement begins or ends. */
/* clang-format off */
#define TOKEN_WORDS(X) \
    X(ALL, "all") X(ANALYSE, "analyse") X(ANALYZE, "analyze") X(AND, "and") X(AS, "as") X(BY, "by") \
    X(CASE, "case") X(CONFLICT, "conflict") X(CONSTRAINT, "constraint") X(CREATE, "create") \
    X(CROSS, "cross") X(CYCLE, "cycle") X(DATA, "data") X(DEFAULT, "default") X(DELETE, "delete") \
    X(DISTINCT, "distinct") X(DO, "do") X(END, "end") X(EXCEPT, "except") X(FETCH, "fetch") X(FOR, "for") \
    X(FROM, "from") X(FULL, "full") X(GROUP, "group") X(HAVING, "having") X(INNER, "inner") \
    X(INSERT, "insert") X(INTERSECT, "intersect") X(INTO, "into") X(IS, "is") X(JOIN, "join") \
    X(LATERAL, "lateral") X(LEFT, "left") X(LIMIT, "limit") X(MATCHED, "matched") \
    X(MATERIALIZED, "materialized") X(MERGE, "merge") X(NATURAL, "natural") X(NO, "no") X(NOT, "not") \
    X(NOTHING, "nothing") X(OFFSET, "offset") X(ON, "on") X(ONLY, "only") X(ORDER, "order") \
    X(OUTER, "outer") X(OVERRIDING, "overriding") X(RETURNING, "returning") X(RIGHT, "right") \
    X(ROW, "row") X(SEARCH, "search") X(SELECT, "select") X(SET, "set") X(TABLE, "table") X(THEN, "then") \
    X(UESCAPE, "uescape") X(UNION, "union") X(UPDATE, "update") X(USING, "using") X(VALUES, "values") \
    X(VERBOSE, "verbose") X(WHEN, "when") X(WHERE, "where") X(WINDOW, "window") X(WITH, "with")
/* clang-format on */

typedef enum TokenWord {
    WORD_NONE, /* another word, or none; also every word behind a dot, where all words are names */
#define X(name, text) WORD_##name,
    TOKEN_WORDS(X)
#undef X
} TokenWord;

typedef struct Token {
    uint32_t start, end; /* in the text */
    uint32_t match;      /* of ( ) [ ]: the other one's index */
    uint8_t kind;        /* LexKind */
    uint8_t word;        /* TokenWord */
    char mark;           /* the character, if the token is one of ( ) [ ] , . * = ; and 0 otherwise */
    bool is_query;       /* of "(": what stands in it begins as a query that nothing else can be */
} Token;

/* all[n] is a token that is nothing, so that one may look at the token behind the last one. */
typedef struct Tokens {
    Token *all;
    uint32_t n;
} Tokens;

/* Tokens from .. to, without `to`. */
typedef struct Range {
    uint32_t from, to;
} Range;

/* Tokens in `arena`. A text whose parentheses do not match has none. */
Tokens tokens_of(Arena *arena, Str text);

/* The first token that begins at or behind the offset. */
uint32_t tokens_at(const Tokens *ts, uint32_t offset);

static inline TokenWord token_word(const Tokens *ts, uint32_t i) { return (TokenWord)ts->all[i].word; }
static inline char token_mark(const Tokens *ts, uint32_t i) { return ts->all[i].mark; }
static inline bool token_opens(const Tokens *ts, uint32_t i) {
    return ts->all[i].mark == '(' || ts->all[i].mark == '[';
}
static inline bool token_closes(const Tokens *ts, uint32_t i) {
    return ts->all[i].mark == ')' || ts->all[i].mark == ']';
}

/* Begins what stands behind the last arm of a set operation, and behind a query in parentheses. */
static inline bool token_is_tail(TokenWord word) {
    return word == WORD_ORDER || word == WORD_LIMIT || word == WORD_OFFSET || word == WORD_FETCH ||
           word == WORD_FOR;
}

/* The next token at the same level. */
static inline uint32_t token_next(const Tokens *ts, uint32_t i) {
    return token_opens(ts, i) ? ts->all[i].match + 1 : i + 1;
}

/* Is token i this keyword, and no name of a column behind AS? */
bool token_is_clause(const Tokens *ts, uint32_t i, TokenWord word);

/* The first token of the range, at its level, that is this keyword and no name; or its end. */
uint32_t tokens_find(const Tokens *ts, Range range, TokenWord word);

/* What lies between a pair of parentheses. */
static inline Range tokens_inside(const Tokens *ts, uint32_t open) {
    return (Range){open + 1, ts->all[open].match};
}

/* The text of a range; empty for an empty range. */
Span tokens_span(const Tokens *ts, Range range);

/* Where the last token of the range ends that is not empty. */
static inline uint32_t tokens_end(const Tokens *ts, Range range) { return ts->all[range.to - 1].end; }

/* Steps over a name, over a name with qualifiers. Returns the index behind it, `i` if none is there. A name
 * may be U&"…" UESCAPE '…'. */
uint32_t tokens_name(const Tokens *ts, uint32_t i);
uint32_t tokens_qualified_name(const Tokens *ts, uint32_t i);

/* Takes the first element off a list whose elements are separated by commas. False if there is none. */
bool tokens_element(const Tokens *ts, Range *list, Range *element);
int tokens_count_elements(const Tokens *ts, Range list);

#endif
