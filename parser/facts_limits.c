/* Limits ahead of the parser.
 *
 * libpg_query and protobuf-c recurse on the tree, and so does the conversion to facts: a text whose tree is
 * deep enough overflows any stack. The depth of the tree is bounded from the tokens alone, in one pass:
 *
 *     depth <= sum over the open parentheses, brackets and CASEs of (1 + the longest chain at that level)
 *
 * A chain is what makes a tree deep without parentheses: operators (1 + 1 + …, x::a::b, - - x), the keywords
 * that are operators, JOINs, set operations. A comma, AND, OR and a CASE's WHEN, THEN and ELSE end a chain of
 * operators, because the parser makes flat lists of what they separate; the AND of BETWEEN does not. JOIN and
 * set operations reach across commas. Miscounting is harmless as long as it counts too much.
 *
 * A second limit is on what the parser's output repeats: UPDATE … SET (a, b, c) = source prints `source` once
 * for each column, and sources nest. The text is counted with that multiplicity against max_bytes. */
#include "parser/facts_internal.h"
#include "parser/lex.h"

/* An open parenthesis, bracket or CASE. */
typedef struct Level {
    int operators;   /* in the current chain */
    int structure;   /* JOINs and set operations */
    size_t elements; /* commas + 1 */
    size_t base;     /* how often this level is repeated in the parser's output */
    size_t repeat;   /* how often what stands here is: base, or more in the source of SET (…) = */
    bool is_case;
    bool between;    /* the next AND belongs to BETWEEN */
    bool set_target; /* opened behind SET or a comma */
} Level;

typedef struct Scan {
    const char *text;
    int max_depth;
    size_t max_bytes;
    int depth; /* the sum above */
    size_t weight;
    LexToken before; /* the token before the current one */
    size_t closed; /* elements of the group that the token before has closed, if it was a SET target; or 0 */
    Arena *arena;
    Level *levels;
    Level *level; /* the current one, in levels */
    size_t capacity;
} Scan;

#define FIRST_LEVELS 32

/* What a keyword or an operator means for the depth. */
typedef enum Effect {
    EFFECT_NONE,
    EFFECT_OPERATOR,
    EFFECT_BETWEEN, /* an operator, too */
    EFFECT_STRUCTURE,
    EFFECT_AND,
    EFFECT_ARM,    /* OR */
    EFFECT_CLAUSE, /* also ends the source of SET (…) = */
    EFFECT_FROM,
    EFFECT_CASE,
    EFFECT_CASE_ARM,
    EFFECT_END,
} Effect;

static const struct {
    const char *word;
    Effect effect;
} keywords[] = {
    {"and", EFFECT_AND},           {"at", EFFECT_OPERATOR},
    {"atomic", EFFECT_STRUCTURE},  {"between", EFFECT_BETWEEN},
    {"case", EFFECT_CASE},         {"collate", EFFECT_OPERATOR},
    {"else", EFFECT_CASE_ARM},     {"end", EFFECT_END},
    {"escape", EFFECT_OPERATOR},   {"except", EFFECT_STRUCTURE},
    {"from", EFFECT_FROM},         {"ilike", EFFECT_OPERATOR},
    {"in", EFFECT_OPERATOR},       {"intersect", EFFECT_STRUCTURE},
    {"is", EFFECT_OPERATOR},       {"isnull", EFFECT_OPERATOR},
    {"join", EFFECT_STRUCTURE},    {"like", EFFECT_OPERATOR},
    {"not", EFFECT_OPERATOR},      {"notnull", EFFECT_OPERATOR},
    {"operator", EFFECT_OPERATOR}, {"or", EFFECT_ARM},
    {"overlaps", EFFECT_OPERATOR}, {"returning", EFFECT_CLAUSE},
    {"similar", EFFECT_OPERATOR},  {"then", EFFECT_CASE_ARM},
    {"union", EFFECT_STRUCTURE},   {"when", EFFECT_CASE_ARM},
    {"where", EFFECT_CLAUSE},
};

static Effect effect_of_word(const char *text, LexToken t) {
    /* None is longer, and most words are. */
    if (t.end - t.start > 9)
        return EFFECT_NONE;
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if ((text[t.start] | 0x20) == keywords[i].word[0] && lex_is_word(text, t, keywords[i].word))
            return keywords[i].effect;
    return EFFECT_NONE;
}

static bool open_level(Scan *s, bool is_case) {
    size_t repeat = s->level->repeat, n = (size_t)(s->level - s->levels) + 1;
    Level *grown;

    if (++s->depth > s->max_depth)
        return false;
    if (n == s->capacity) {
        grown = ARENA_ARRAY(s->arena, Level, n * 2);
        memcpy(grown, s->levels, n * sizeof(Level));
        s->levels = grown;
        s->capacity = n * 2;
    }
    s->level = &s->levels[n];
    *s->level = (Level){.elements = 1, .base = repeat, .repeat = repeat, .is_case = is_case};
    s->level->set_target = lex_is_char(s->text, s->before, ',') || lex_is_word(s->text, s->before, "set");
    return true;
}

static void end_chain(Scan *s) {
    s->depth -= s->level->operators;
    s->level->operators = 0;
    s->level->between = false;
}

static void close_level(Scan *s) {
    end_chain(s);
    s->depth -= s->level->structure + 1;
    s->level--;
}

/* A closing parenthesis or bracket closes the CASEs that were left open in it. One too many closes nothing:
 * the parser will reject the text there. */
static void close_group(Scan *s) {
    while (s->level > s->levels && s->level->is_case)
        close_level(s);
    if (s->level == s->levels)
        return;
    s->closed = s->level->set_target ? s->level->elements : 0;
    close_level(s);
}

static bool add_operator(Scan *s) {
    s->level->operators++;
    return ++s->depth <= s->max_depth;
}

static void end_source(Scan *s) { s->level->repeat = s->level->base; }

static bool word(Scan *s, LexToken t) {
    Level *level = s->level;
    /* Behind a dot any keyword is a name. */
    Effect effect = lex_is_char(s->text, s->before, '.') ? EFFECT_NONE : effect_of_word(s->text, t);

    switch (effect) {
    case EFFECT_NONE:
        return true;
    case EFFECT_BETWEEN:
        level->between = true;
        return add_operator(s);
    case EFFECT_OPERATOR:
        return add_operator(s);
    case EFFECT_STRUCTURE:
        level->structure++;
        return ++s->depth <= s->max_depth;
    case EFFECT_AND:
        if (level->between)
            level->between = false;
        else
            end_chain(s);
        return true;
    case EFFECT_CASE_ARM:
        if (level->is_case)
            end_chain(s);
        return true;
    case EFFECT_CASE:
        return open_level(s, true);
    case EFFECT_END:
        if (level->is_case)
            close_level(s);
        return true;
    case EFFECT_FROM:
        /* IS DISTINCT FROM is an operator. */
        if (!lex_is_word(s->text, s->before, "distinct"))
            end_source(s);
        return true;
    case EFFECT_CLAUSE:
        end_source(s);
        return true;
    case EFFECT_ARM:
        end_chain(s);
        return true;
    }
    return true;
}

static bool punctuation(Scan *s, LexToken t) {
    switch (s->text[t.start]) {
    case '(':
    case '[':
        return open_level(s, false);
    case ')':
    case ']':
        close_group(s);
        return true;
    case ',':
        s->level->elements++;
        end_chain(s);
        end_source(s);
        return true;
    case ';':
        end_chain(s);
        end_source(s);
        if (s->level == s->levels) {
            s->depth -= s->level->structure;
            s->level->structure = 0;
        }
        return true;
    case ':':
        return add_operator(s);
    default:
        return true;
    }
}

/* (a, b) = … behind SET: what follows is repeated for each of them. */
static void source(Scan *s, LexToken t, size_t closed) {
    size_t repeat;

    if (closed < 2 || !lex_is_char(s->text, t, '='))
        return;
    repeat = s->level->base > s->max_bytes / closed ? s->max_bytes + 1 : s->level->base * closed;
    if (repeat > s->level->repeat)
        s->level->repeat = repeat;
}

static bool token(Scan *s, LexToken t, size_t gap) {
    size_t closed = s->closed, size = t.end - t.start + gap;

    s->closed = 0;
    if (t.kind == LEX_OPERATOR)
        source(s, t, closed);
    if (size > (s->max_bytes - s->weight) / s->level->repeat)
        return false;
    s->weight += size * s->level->repeat;
    switch (t.kind) {
    case LEX_WORD:
        return word(s, t);
    case LEX_OPERATOR:
        return add_operator(s);
    case LEX_PUNCT:
        return punctuation(s, t);
    default:
        return true;
    }
}

static bool scan(Scan *s, size_t len) {
    LexToken t = {LEX_PUNCT, 0, 0};

    for (size_t end = 0; t.kind != LEX_END && t.kind != LEX_UNTERMINATED; end = t.end) {
        t = lex_next(s->text, len, end);
        if (!token(s, t, t.start - end))
            return false;
        s->before = t;
    }
    return true;
}

bool facts_within_limits(Arena *arena, Str text, FactsLimits limits, Error *err) {
    Scan s = {.text = text.ptr, .arena = arena, .capacity = FIRST_LEVELS};

    s.max_bytes = limits.max_bytes > 0 ? limits.max_bytes : FACTS_DEFAULT_MAX_BYTES;
    s.max_depth = limits.max_depth > 0 ? limits.max_depth : FACTS_DEFAULT_MAX_DEPTH;
    if (s.max_depth > FACTS_MAX_DEPTH)
        s.max_depth = FACTS_MAX_DEPTH;
    if (s.max_bytes > INT32_MAX)
        s.max_bytes = INT32_MAX;
    if (text.len > s.max_bytes)
        return error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                         "statement of %zu bytes is larger than %zu bytes and was not parsed", text.len,
                         s.max_bytes);
    s.level = s.levels = ARENA_ARRAY(arena, Level, FIRST_LEVELS);
    s.levels[0] = (Level){.elements = 1, .base = 1, .repeat = 1};
    if (scan(&s, text.len))
        return true;
    if (s.depth > s.max_depth)
        return error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                         "statement nests operators and parentheses more than %d deep and was not parsed",
                         s.max_depth);
    return error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                     "statement assigns a value of that size to too many columns at once and was not parsed");
}
