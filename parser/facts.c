/* Facts: from a text to its statements.
 *
 * The limits are checked first; then libpg_query parses, and the converters make facts of its tree in the
 * caller's arena. */
#include "parser/facts_internal.h"
#include "parser/facts_tree.h"
#include "parser/lex.h"

const char *facts_string(Convert *c, const char *s) { return s && *s ? arena_strdup(c->arena, s) : NULL; }

const char *facts_node_string(const Node *node) {
    return node && node->node_case == PG_QUERY__NODE__NODE_STRING ? node->string->sval : NULL;
}

const char **facts_strings(Convert *c, Node **list, size_t n) {
    const char **strings = n > 0 ? ARENA_ARRAY(c->arena, const char *, n) : NULL;

    for (size_t i = 0; i < n; i++)
        strings[i] = facts_string(c, facts_node_string(list[i]));
    return strings;
}

/* A negative location is an unknown one. */
uint32_t facts_location(const Convert *c, int location) {
    return location > 0 && (size_t)location <= c->text.len ? (uint32_t)location : 0;
}

Name facts_name(Convert *c, Node **list, size_t n) {
    Name name = {0};

    if (n > 0)
        name.name = facts_string(c, facts_node_string(list[n - 1]));
    if (n > 1)
        name.schema = facts_string(c, facts_node_string(list[n - 2]));
    if (n > 2)
        name.catalog = facts_string(c, facts_node_string(list[n - 3]));
    return name;
}

void *facts_grow(Convert *c, void *array, int n, size_t size) {
    void *grown;

    if (n > 0 && (n & (n - 1)) != 0)
        return array;
    grown = arena_alloc(c->arena, (n > 0 ? 2 * (size_t)n : 1) * size);
    if (n > 0)
        memcpy(grown, array, (size_t)n * size);
    return grown;
}

static Span trimmed(Str text, uint32_t start, uint32_t end) {
    while (end > start && lex_is(text.ptr, end - 1, LEX_IS_SPACE))
        end--;
    while (start < end && lex_is(text.ptr, start, LEX_IS_SPACE))
        start++;
    return (Span){start, end};
}

/* Where the parser says that a statement stands; length 0 is all the rest. */
static Span statement_span(Str text, const PgQuery__RawStmt *raw) {
    size_t start = raw->stmt_location > 0 ? (size_t)raw->stmt_location : 0;
    size_t end = raw->stmt_len > 0 ? start + (size_t)raw->stmt_len : text.len;

    if (start > text.len)
        start = text.len;
    if (end > text.len)
        end = text.len;
    return trimmed(text, (uint32_t)start, (uint32_t)end);
}

static uint64_t fingerprint(Arena *temporary, Str text, Span span) {
    Str statement = {text.ptr + span.start, span.end - span.start};
    PgQueryFingerprintResult result;
    uint64_t value;

    /* Already terminated if it ends where the text does. */
    if (span.end < text.len)
        statement = arena_str(temporary, statement);
    result = pg_query_fingerprint(statement.ptr);
    value = result.fingerprint;
    pg_query_free_fingerprint_result(result);
    return value;
}

static void convert_statement(Convert *c, Statement *stmt, const PgQuery__RawStmt *raw) {
    c->config_calls = NULL;
    c->nconfig_calls = 0;
    stmt->span = statement_span(c->text, raw);
    if (raw->stmt)
        facts_statement(c, stmt, raw->stmt);
    facts_statement_spans(c, stmt);
    stmt->config_calls = c->config_calls;
    stmt->nconfig_calls = c->nconfig_calls;
}

typedef struct Parse {
    Convert convert;
    Facts *facts;
} Parse;

static void visit(const PgQuery__ParseResult *tree, uint64_t fingerprint_of_all, void *arg) {
    Parse *parse = arg;
    Convert *c = &parse->convert;
    Facts *facts = ARENA_NEW(c->arena, Facts);

    facts->nstatements = tree->n_stmts > 0 ? (int)tree->n_stmts : 1;
    facts->statements = ARENA_ARRAY(c->arena, Statement, facts->nstatements);
    for (size_t i = 0; i < tree->n_stmts; i++)
        convert_statement(c, &facts->statements[i], tree->stmts[i]);
    if (tree->n_stmts == 0)
        facts->statements[0].span = trimmed(c->text, 0, (uint32_t)c->text.len);
    facts->nparams = c->nparams;
    facts->literals_matter = c->literals_matter;
    if (facts->nstatements == 1)
        facts->statements[0].fingerprint = fingerprint_of_all;
    parse->facts = facts;
}

static const Facts *parse_text(Arena *arena, Arena *temporary, Str text, bool fingerprints, Error *err) {
    Parse parse = {.convert = {.arena = arena, .text = text, .temporary = temporary}};
    Facts *facts;

    if (!facts_tree_visit(temporary, text.ptr, fingerprints, visit, &parse, err))
        return NULL;
    facts = parse.facts;
    for (int i = 0; fingerprints && i < facts->nstatements; i++) {
        Statement *stmt = &facts->statements[i];

        if (stmt->kind != STMT_EMPTY && stmt->fingerprint == 0)
            stmt->fingerprint = fingerprint(temporary, text, stmt->span);
    }
    return facts;
}

static const Facts *parse_within(Arena *arena, Str text, FactsLimits limits, bool fingerprints, Error *err) {
    Arena *temporary = arena_new();
    const Facts *facts = NULL;

    /* The parser would take a NUL for the end of the text. */
    if (memchr(text.ptr, '\0', text.len))
        error_set(err, SQLSTATE_SYNTAX_ERROR, "statement contains a NUL byte");
    else if (facts_within_limits(temporary, text, limits, err))
        facts = parse_text(arena, temporary, text, fingerprints, err);
    arena_free(temporary);
    return facts;
}

const Facts *facts_parse(Arena *arena, Str text, FactsLimits limits, Error *err) {
    return parse_within(arena, text, limits, true, err);
}

const Facts *facts_parse_unnamed(Arena *arena, Str text, FactsLimits limits, Error *err) {
    return parse_within(arena, text, limits, false, err);
}
