/* Tokens of a PL/pgSQL body, which are those of SQL. */
#include <ctype.h>

#include "base/error.h"
#include "parser/plpgsql_internal.h"

static int64_t line_at(Str body, size_t offset) {
    int64_t line = 1;
    for (size_t i = 0; i < offset && i < body.len; i++)
        line += body.ptr[i] == '\n';
    return line;
}

static void fail(Plpgsql *p, const char *what, const char *more) {
    if (!p->failed)
        error_set(p->err, SQLSTATE_SYNTAX_ERROR, "PL/pgSQL: line %lld: %s%s",
                  (long long)line_at(p->body, p->token.kind == LEX_END ? p->last : p->token.start), what,
                  more);
    p->failed = true;
    p->token = (LexToken){LEX_END, p->body.len, p->body.len};
}

void plpgsql_fail(Plpgsql *p, const char *expected) {
    const size_t len = p->token.end - p->token.start;

    fail(p, expected,
         p->token.kind == LEX_END ? " is expected, not the end"
                                  : arena_printf(p->arena, " is expected, not \"%.*s\"",
                                                 (int)(len < 40 ? len : 40), p->body.ptr + p->token.start));
}

void plpgsql_next(Plpgsql *p) {
    if (p->failed)
        return;
    p->last = p->token.end;
    p->token = lex_next(p->body.ptr, p->body.len, p->token.end);
    if (p->token.kind == LEX_UNTERMINATED)
        fail(p, "a string, a name or a comment has no end", "");
}

LexToken plpgsql_peek(const Plpgsql *p) { return lex_next(p->body.ptr, p->body.len, p->token.end); }

bool plpgsql_at(const Plpgsql *p, const char *word) { return lex_is_word(p->body.ptr, p->token, word); }

bool plpgsql_at_char(const Plpgsql *p, char c) { return lex_is_char(p->body.ptr, p->token, c); }

bool plpgsql_at_text(const Plpgsql *p, const char *text) {
    const size_t len = strlen(text);

    return (p->token.kind == LEX_OPERATOR || p->token.kind == LEX_PUNCT) &&
           p->token.end - p->token.start == len && memcmp(p->body.ptr + p->token.start, text, len) == 0;
}

bool plpgsql_take(Plpgsql *p, const char *word) {
    if (!plpgsql_at(p, word))
        return false;
    plpgsql_next(p);
    return true;
}

bool plpgsql_take_char(Plpgsql *p, char c) {
    if (!plpgsql_at_char(p, c))
        return false;
    plpgsql_next(p);
    return true;
}

void plpgsql_want(Plpgsql *p, const char *word) {
    if (!plpgsql_take(p, word))
        plpgsql_fail(p, word);
}

void plpgsql_want_char(Plpgsql *p, char c) {
    const char text[] = {c, '\0'};

    if (!plpgsql_take_char(p, c))
        plpgsql_fail(p, text);
}

bool plpgsql_at_name(const Plpgsql *p) { return p->token.kind == LEX_WORD || p->token.kind == LEX_QUOTED; }

const char *plpgsql_name(Plpgsql *p) {
    const LexToken t = p->token;
    const char *s = p->body.ptr + t.start;
    const size_t len = t.end - t.start;
    char *name = arena_strndup(p->arena, s, len);
    size_t n = 0;

    if (t.kind != LEX_QUOTED) {
        for (size_t i = 0; i < len; i++)
            name[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
        return name;
    }
    for (size_t i = 1; s[0] == '"' && i + 1 < len; i++) {
        name[n++] = s[i];
        i += s[i] == '"';
    }
    name[n] = '\0';
    return name;
}

static bool is_one_of(const Plpgsql *p, const char *const *until) {
    for (; *until; until++) {
        if (isalpha((unsigned char)**until) ? plpgsql_at(p, *until) : plpgsql_at_text(p, *until))
            return true;
    }
    return false;
}

Span plpgsql_skip(Plpgsql *p, const char *const *until) {
    const uint32_t start = (uint32_t)p->token.start;
    uint32_t end = start;
    int depth = 0;

    while (p->token.kind != LEX_END && (depth > 0 || (!plpgsql_at_char(p, ';') && !is_one_of(p, until)))) {
        if (plpgsql_at_char(p, '(') || plpgsql_at_char(p, '['))
            depth++;
        else if ((plpgsql_at_char(p, ')') || plpgsql_at_char(p, ']')) && --depth < 0)
            plpgsql_fail(p, "an opening parenthesis");
        end = (uint32_t)p->token.end;
        plpgsql_next(p);
    }
    if (p->token.kind == LEX_END)
        plpgsql_fail(p, *until ? *until : ";");
    return (Span){start, end};
}

void plpgsql_declare(Plpgsql *p, const char *name, const char *label) {
    FactsVariable *variable = ARENA_NEW(p->arena, FactsVariable);

    *variable = (FactsVariable){.outer = p->visible, .name = name, .label = label, .number = ++p->nvariables};
    p->visible = variable;
}
