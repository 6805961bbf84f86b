/* Bodies: where they stand in a definition, and what is SQL in them. */
#include "base/buf.h"
#include "cli/lint_functions.h"
#include "parser/lex.h"

/* A body in quotes ends the definition: AS $function$…$function$. */
static MUST_USE bool find_quoted(const LintRoutine *routine, LintBody *body) {
    Str definition = routine->definition, source = routine->source;
    size_t tag = 1;
    while (tag < definition.len && definition.ptr[definition.len - 1 - tag] != '$')
        tag++;
    tag++;
    if (definition.len < source.len + 2 * tag)
        return false;
    body->offset = (uint32_t)(definition.len - tag - source.len);
    body->text = source;
    body->quoted = true;
    return memcmp(definition.ptr + body->offset, source.ptr, source.len) == 0 &&
           definition.ptr[body->offset - 1] == '$';
}

/* Of a body that the server keeps parsed: BEGIN ATOMIC …; END, or RETURN …, behind the head's parentheses. */
static MUST_USE bool find_parsed(const LintRoutine *routine, LintBody *body, bool *is_return) {
    Str text = routine->definition;
    int depth = 0;
    size_t end = text.len;
    LexToken t = lex_next(text.ptr, text.len, 0), behind = t;
    for (; t.kind != LEX_END && t.kind != LEX_UNTERMINATED; t = behind) {
        behind = lex_next(text.ptr, text.len, t.end);
        depth += lex_is_char(text.ptr, t, '(') - lex_is_char(text.ptr, t, ')');
        *is_return = lex_is_word(text.ptr, t, "return");
        if (depth == 0 &&
            (*is_return || (lex_is_word(text.ptr, t, "begin") && lex_is_word(text.ptr, behind, "atomic"))))
            break;
    }
    if (t.kind == LEX_END || t.kind == LEX_UNTERMINATED || (!*is_return && text.len < 3))
        return false;
    if (!*is_return) {
        end = text.len - 3;
        if (!str_ieq((Str){text.ptr + end, 3}, "end"))
            return false;
    }
    body->offset = (uint32_t)(*is_return ? t.end : behind.end);
    if (end < body->offset)
        return false;
    body->text = (Str){text.ptr + body->offset, end - body->offset};
    return true;
}

/* The only part of a body in SQL: all of it. */
static void take_whole(const LintRoutine *routine, Arena *arena, LintBody *body, const char *prefix) {
    PlpgsqlPart *part = ARENA_NEW(arena, PlpgsqlPart);
    Str text = body->text;
    *part = (PlpgsqlPart){.kind = PLPGSQL_STATEMENT,
                          .text = str_of(arena_printf(arena, "%s%.*s", prefix, STR_ARG(text))),
                          .prefix = (uint32_t)strlen(prefix),
                          .exact = true,
                          .line = 1,
                          .variables = routine->parameters};
    body->parts = part;
    body->nparts = 1;
}

bool lint_functions_body(const LintRoutine *routine, Arena *arena, LintBody *body, Error *err) {
    bool is_return = false;
    *body = (LintBody){.plpgsql = strcmp(routine->language, "plpgsql") == 0, .conflict = routine->conflict};
    bool is_parsed = !body->plpgsql && routine->source.len == 0;
    if (is_parsed ? !find_parsed(routine, body, &is_return) : !find_quoted(routine, body))
        return error_set(err, SQLSTATE_INTERNAL_ERROR, "its body is not found in its definition");
    if (body->text.len > UINT32_MAX / 4)
        return error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "its body is too long");
    if (!body->plpgsql) {
        take_whole(routine, arena, body, is_return ? "SELECT " : "");
        body->conflict = PLPGSQL_USE_COLUMN;
        return true;
    }
    const PlpgsqlBody *parsed = plpgsql_parse(arena, body->text, routine->parameters, err);
    if (!parsed)
        return false;
    body->parts = parsed->parts;
    body->nparts = parsed->nparts;
    if (parsed->has_conflict)
        body->conflict = parsed->conflict;
    return true;
}
