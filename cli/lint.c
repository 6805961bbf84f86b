/* The same parser, catalog and decision as in the proxy's path; only the source of the statements and the
 * form of the answer are lint's. The arena of a statement is reset behind it, so that a source may be of any
 * length. */
#include "cli/lint.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/lint_cache.h"
#include "parser/lex.h"
#include "rewrite/slot.h"

#define CACHE_BYTES ((size_t)16 * 1024 * 1024)

struct Lint {
    const Config *config;
    const Snapshot *snapshot;
    LintReport *report;
    Arena *arena; /* of the statement under way */
    Shape shape;  /* likewise */
    LintCache *cache;
};

/* Why a statement is not given to the parser, as it would not be in the proxy; NULL if it is. */
static const char *cannot_be_parsed(const Lint *lint, const LintStatement *statement) {
    if (statement->obstacle)
        return statement->obstacle;
    if (statement->cut)
        return arena_printf(lint->arena, "longer than parse_bytes (%lld bytes)",
                            (long long)lint->config->parse_bytes);
    if (memchr(statement->text.ptr, '\0', statement->text.len))
        return "it contains a NUL byte";
    if (!utf8_valid(statement->text))
        return "it is not valid UTF-8";
    return NULL;
}

static void report_unparsed(Lint *lint, const LintStatement *statement, const LintOrigin *origin,
                            const char *reason, const char *suggestion) {
    StatementDecision decision = {.verdict = VERDICT_UNPARSED, .reason = reason, .suggestion = suggestion};
    LintResult result = {.origin = *origin,
                         .sql = statement->text,
                         .decision = &decision,
                         .sent = STR_NONE,
                         .proposed = STR_NONE};
    lint_report_add(lint->report, lint->arena, &result);
}

/* A place in a text, and the number of lines that its first token is above it. */
typedef struct Place {
    size_t offset;
    int64_t lines;
} Place;

/* To the first token at or behind `start`, which lies behind the place. */
static void move_to(Place *place, Str text, uint32_t start) {
    size_t here = lex_blank(text.ptr, text.len, start);
    for (; place->offset < here && place->offset < text.len; place->offset++)
        place->lines += text.ptr[place->offset] == '\n';
}

/* Where the part of a text stands, which is one of `n` statements in it. */
static LintOrigin origin_of(const LintOrigin *whole, const Place *place, int n) {
    LintOrigin origin = *whole;
    if (origin.line > 0)
        origin.line += place->lines;
    origin.text_line = 0;
    origin.total_ms /= n;
    return origin;
}

/* The edits of a finding, moved to this text of its shape, with parameters in the places of values. */
static EditList fill(Lint *lint, const LintFinding *finding, const EditList *edits, const Shape *shape) {
    const Decision *decision = finding->decision;
    EditList moved =
        shape ? edits_move(edits, lint->arena, finding->literals, shape->literals, shape->nliterals) : *edits;
    /* As the extended protocol has it: a value is one more parameter. */
    const Str *values =
        slot_parameters(decision->slots, decision->nslots, finding->facts->nparams, lint->arena);
    return edits_fill(&moved, lint->arena, values);
}

static const Facts *parse(const Lint *lint, Arena *arena, Str text, Error *err) {
    FactsLimits limits = {.max_bytes = (size_t)lint->config->parse_bytes,
                          .max_depth = lint->config->parse_depth};
    bool unnamed = lint->report->form->no_fingerprints && !lint->report->gather;
    return (unnamed ? facts_parse_unnamed : facts_parse)(arena, text, limits, err);
}

/* Judges what was prepared under the session's names of today: the server, too, takes it up anew when the
 * search_path has changed. False if it cannot be judged. */
static bool judge_prepared(const Lint *lint, LintSession *session, LintPrepared *prepared) {
    Str key = lint_session_key(session);
    Error err;
    if (prepared->decision && str_eq(prepared->context, key))
        return true;
    Arena *arena = arena_new();
    const Facts *facts = parse(lint, arena, prepared->text, &err);
    if (!facts || facts->nstatements == 0) {
        arena_free(arena);
        return false;
    }
    SessionContext context = lint_session_context(session);
    arena_free(prepared->arena);
    prepared->arena = arena;
    prepared->context = arena_str(arena, key);
    prepared->statement = &facts->statements[0];
    prepared->decision = &decide(arena, prepared->text, facts, lint->snapshot, &context)->statements[0];
    return true;
}

static bool is_evaluated(const Statement *execute) {
    for (int i = 0; i < execute->nargs; i++)
        if (execute->args[i]->kind != EXPR_CONST && execute->args[i]->kind != EXPR_PARAM)
            return true;
    return false;
}

/* The decision on an EXECUTE's arguments, which are evaluated ahead of it; NULL where they do nothing. */
static const StatementDecision *decide_arguments(const Lint *lint, const LintSession *session,
                                                 const Statement *statement, Str text) {
    while (statement->kind != STMT_EXECUTE)
        statement = statement->inner;
    if (!is_evaluated(statement) || !statement->arg_spans)
        return NULL;
    uint32_t start = statement->arg_spans[0].start, end = statement->arg_spans[statement->nargs - 1].end;
    const char *query = arena_printf(lint->arena, "SELECT %.*s", (int)(end - start), text.ptr + start);
    Error err;
    const Facts *facts = parse(lint, lint->arena, str_of(query), &err);
    SessionContext context = lint_session_context(session);
    return facts ? &decide(lint->arena, str_of(query), facts, lint->snapshot, &context)->statements[0] : NULL;
}

/* As what it executes was decided on, but for the text, which stays; NULL if that is not known. */
static const StatementDecision *decide_execution(const Lint *lint, LintSession *session,
                                                 const Statement *statement, Str text) {
    LintPrepared *prepared = lint_session_executed(session, statement);
    if (!prepared || !judge_prepared(lint, session, prepared))
        return NULL;
    StatementDecision *decision = ARENA_NEW(lint->arena, StatementDecision);
    *decision = *prepared->decision;
    decision->rewritten = decision->proposed = false;
    const StatementDecision *arguments = decide_arguments(lint, session, statement, text);
    if (arguments && arguments->verdict == VERDICT_OPAQUE && decision->verdict < VERDICT_MULTI_TENANT) {
        decision->verdict = VERDICT_OPAQUE;
        decision->reason = arguments->reason;
        decision->suggestion = arguments->suggestion;
    }
    return decision;
}

/* `text`: what the statement's facts were made of. */
static void follow(LintSession *session, const Statement *statement, Str text) {
    const LintPrepared *prepared =
        statement->kind == STMT_EXECUTE ? lint_session_executed(session, statement) : NULL;
    lint_session_follow(session, statement, text);
    if (prepared && prepared->statement && prepared->statement->inner)
        lint_session_follow(session, prepared->statement->inner, prepared->text);
}

/* `parsed`: what the finding was made of. `shape`: this text's, where the finding is that of another text of
 * the same shape; else NULL. */
static void report_finding(Lint *lint, LintSession *session, const LintStatement *statement,
                           const LintOrigin *origin, const LintFinding *finding, Str parsed,
                           const Shape *shape) {
    const Facts *facts = finding->facts;
    Str text = statement->text;
    int n = 0;
    Place place = {.offset = lex_blank(text.ptr, text.len, 0)};
    bool alone = facts->nstatements == 1; /* else psql joined what stood between "\;" into one string */
    EditList edits = fill(lint, finding, &finding->decision->edits, shape);
    EditList proposals = fill(lint, finding, &finding->decision->proposals, shape);
    for (int i = 0; i < facts->nstatements; i++)
        n += facts->statements[i].kind != STMT_EMPTY;
    for (int i = 0; i < facts->nstatements; i++) {
        const Statement *one = &facts->statements[i];
        if (one->kind == STMT_EMPTY)
            continue;
        const StatementDecision *decision = decide_execution(lint, session, one, parsed);
        if (!decision)
            decision = &finding->decision->statements[i];
        Span span = alone ? (Span){0, (uint32_t)text.len} : one->span;
        if (!alone)
            move_to(&place, text, span.start);
        LintResult result = {
            .origin = alone ? *origin : origin_of(origin, &place, n),
            .sql = {text.ptr + span.start, span.end - span.start},
            .fingerprint = one->fingerprint,
            .decision = decision,
            .sent = decision->rewritten ? edits_apply_within(lint->arena, &edits, text, span) : STR_NONE,
            .proposed =
                decision->proposed ? edits_apply_within(lint->arena, &proposals, text, span) : STR_NONE};
        lint_report_add(lint->report, lint->arena, &result);
        follow(session, one, parsed);
    }
}

/* Whether what was found out of a text holds for all of its shape. Not with a backslash in a string: whether
 * an escape is a valid one is the parser's to say. */
static bool is_of_shape(const Facts *facts, const Decision *decision, Str text) {
    return facts->nstatements == 1 && !decision->literals_matter &&
           lint_session_ignores(&facts->statements[0]) && !memchr(text.ptr, '\\', text.len);
}

static Str text_to_parse(const LintStatement *statement) {
    return statement->parsed.ptr ? statement->parsed : statement->text;
}

/* The text with an empty string for each parameter that stands right behind a word or a parenthesis, as in
 * DATE $1, timestamp(3) $1: no expression can be there, and so no comparison with a tenant. */
static Str with_literals(Arena *arena, Str text) {
    char *copy = arena_strndup(arena, text.ptr, text.len);
    LexToken before = {.kind = LEX_END};
    for (LexToken t = lex_next(copy, text.len, 0); t.kind != LEX_END && t.kind != LEX_UNTERMINATED;
         before = t, t = lex_next(copy, text.len, t.end)) {
        if (t.kind != LEX_PARAM || (before.kind != LEX_WORD && !lex_is_char(copy, before, ')')))
            continue;
        memset(copy + t.start, ' ', t.end - t.start);
        memset(copy + t.start, '\'', 2);
    }
    return (Str){copy, text.len};
}

/* `shape`: under which the finding is kept; NULL: not at all. */
static void judge_anew(Lint *lint, LintSession *session, const LintStatement *statement,
                       const LintOrigin *origin, const Shape *shape) {
    Arena *arena = arena_new();
    Str text = text_to_parse(statement);
    Error err = {0};
    const Facts *facts = parse(lint, arena, text, &err);
    if (!facts && statement->stand_ins) {
        Error other;
        text = with_literals(arena, text);
        facts = parse(lint, arena, text, &other);
    }
    if (!facts) {
        report_unparsed(lint, statement, origin, err.message,
                        err.hint[0]             ? err.hint
                        : statement->parsed.ptr ? "variables were taken for values ($n); write this one out"
                                                : NULL);
        arena_free(arena);
        return;
    }
    SessionContext context = lint_session_context(session);
    const Decision *decision = decide(arena, text, facts, lint->snapshot, &context);
    if (shape && is_of_shape(facts, decision, text)) {
        const LintFinding *finding =
            lint_cache_add(lint->cache, shape, lint_session_key(session), arena, facts, decision);
        report_finding(lint, session, statement, origin, finding, text, NULL);
    } else {
        LintFinding finding = {.facts = facts, .decision = decision};
        report_finding(lint, session, statement, origin, &finding, text, NULL);
        arena_free(arena);
    }
}

void lint_judge(Lint *lint, LintSession *session, const LintStatement *statement, const LintOrigin *origin) {
    arena_reset(lint->arena);
    const char *obstacle = cannot_be_parsed(lint, statement);
    if (obstacle) {
        report_unparsed(lint, statement, origin, obstacle, NULL);
        return;
    }
    Str text = text_to_parse(statement);
    Shape *shape = shape_of(&lint->shape, text) ? &lint->shape : NULL;
    const LintFinding *known = shape ? lint_cache_find(lint->cache, shape, lint_session_key(session)) : NULL;
    if (known && !memchr(text.ptr, '\\', text.len))
        report_finding(lint, session, statement, origin, known, text, shape);
    else
        judge_anew(lint, session, statement, origin, known ? NULL : shape);
}

size_t lint_stack_bytes(const Config *config) {
    size_t stack = (size_t)FACTS_STACK_BYTES;
    if (config->parse_depth > FACTS_DEFAULT_MAX_DEPTH)
        stack += stack / FACTS_DEFAULT_MAX_DEPTH * (size_t)(config->parse_depth - FACTS_DEFAULT_MAX_DEPTH);
    return stack;
}

Lint *lint_new(const Config *config, const Snapshot *snapshot, LintReport *report) {
    Lint *lint = MEM_NEW(Lint);
    lint->config = config;
    lint->snapshot = snapshot;
    lint->report = report;
    lint->arena = arena_new();
    lint->cache = lint_cache_new(CACHE_BYTES);
    return lint;
}

void lint_free(Lint *lint) {
    if (!lint)
        return;
    lint_cache_free(lint->cache);
    shape_free(&lint->shape);
    arena_free(lint->arena);
    free(lint);
}

const Config *lint_config(const Lint *lint) { return lint->config; }

const Snapshot *lint_snapshot(const Lint *lint) { return lint->snapshot; }

LintReport *lint_report(const Lint *lint) { return lint->report; }
