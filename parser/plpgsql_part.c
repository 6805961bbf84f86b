/* The parts of a body that are SQL: their texts, with what PL/pgSQL keeps for itself blanked out. */
#include "base/mem.h"
#include "parser/plpgsql_internal.h"

static int64_t line_of(Plpgsql *p, size_t offset) {
    for (; p->counted < offset; p->counted++)
        p->line += p->body.ptr[p->counted] == '\n';
    for (; p->counted > offset; p->counted--)
        p->line -= p->body.ptr[p->counted - 1] == '\n';
    return p->line;
}

/* The part that begins there; p->out->parts may move. */
static PlpgsqlPart *new_part(Plpgsql *p, PlpgsqlKind kind, uint32_t start) {
    PlpgsqlPart *part;

    if (p->out->nparts == p->capacity) {
        PlpgsqlPart *old = p->out->parts;

        p->capacity = p->capacity ? 2 * p->capacity : 16;
        p->out->parts = ARENA_ARRAY(p->arena, PlpgsqlPart, p->capacity);
        if (old)
            memcpy(p->out->parts, old, sizeof(PlpgsqlPart) * (size_t)p->out->nparts);
    }
    part = &p->out->parts[p->out->nparts++];
    *part = (PlpgsqlPart){
        .kind = kind, .start = start, .exact = true, .line = line_of(p, start), .variables = p->visible};
    return part;
}

/* The body's bytes, as a text that may be written to. */
static char *copy_of(Plpgsql *p, Span span) {
    return arena_strndup(p->arena, p->body.ptr + span.start, span.end - span.start);
}

void plpgsql_add_statement(Plpgsql *p, PlpgsqlKind kind, Span span, Span into, Span word) {
    static const char select[] = "SELECT";
    char *text;
    PlpgsqlPart *part;

    if (p->failed || span.end <= span.start)
        return;
    text = copy_of(p, span);
    if (into.end > into.start) {
        memset(text + (into.start - span.start), ' ', into.end - into.start);
        into = (Span){into.start - span.start, into.end - span.start};
    }
    if (word.end > word.start) {
        memset(text, ' ', word.end - word.start);
        memcpy(text + (word.end - word.start) - (sizeof(select) - 1), select, sizeof(select) - 1);
        into = (Span){0, word.end - word.start};
    }
    part = new_part(p, kind, span.start);
    part->text = (Str){text, span.end - span.start};
    part->into = into;
}

/* ---- expressions ---- */

static LexToken next(const Plpgsql *p, Span span, size_t at) { return lex_next(p->body.ptr, span.end, at); }

static bool begins_query(const Plpgsql *p, LexToken token) {
    static const char *const words[] = {"select", "with", "values", "table"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (lex_is_word(p->body.ptr, token, words[i]))
            return true;
    }
    return false;
}

/* Where the parenthesis that was opened before `at` closes; the end of `span` if it does not. */
static uint32_t closing(const Plpgsql *p, Span span, size_t at, uint32_t *last_end) {
    int depth = 1;

    *last_end = (uint32_t)at;
    for (LexToken t = next(p, span, at); t.kind != LEX_END && t.kind != LEX_UNTERMINATED;
         t = next(p, span, t.end)) {
        if (lex_is_char(p->body.ptr, t, '('))
            depth++;
        else if (lex_is_char(p->body.ptr, t, ')') && --depth == 0)
            return (uint32_t)t.start;
        *last_end = (uint32_t)t.end;
    }
    return span.end;
}

/* `count(*) FROM t`: PL/pgSQL only puts SELECT before an expression. IS DISTINCT FROM is no such FROM. */
static bool has_from(const Plpgsql *p, Span span) {
    int depth = 0;
    bool distinct = false;

    for (LexToken t = next(p, span, span.start); t.kind != LEX_END && t.kind != LEX_UNTERMINATED;
         t = next(p, span, t.end)) {
        if (lex_is_char(p->body.ptr, t, '('))
            depth++;
        else if (lex_is_char(p->body.ptr, t, ')'))
            depth--;
        else if (depth == 0 && !distinct && lex_is_word(p->body.ptr, t, "from"))
            return true;
        distinct = lex_is_word(p->body.ptr, t, "distinct");
    }
    return false;
}

static void add_select(Plpgsql *p, Span span) {
    static const char select[] = "SELECT ";
    const uint32_t prefix = sizeof(select) - 1;
    char *text = ARENA_ARRAY(p->arena, char, prefix + (span.end - span.start) + 1);
    PlpgsqlPart *part = new_part(p, PLPGSQL_EXPRESSION, span.start);

    memcpy(text, select, prefix);
    memcpy(text + prefix, p->body.ptr + span.start, span.end - span.start);
    part->text = (Str){text, prefix + (span.end - span.start)};
    part->prefix = prefix;
}

void plpgsql_add_expression(Plpgsql *p, Span span) {
    bool opened = false;

    if (p->failed || span.end <= span.start)
        return;
    if (has_from(p, span)) {
        add_select(p, span);
        return;
    }
    for (LexToken t = next(p, span, span.start); t.kind != LEX_END && t.kind != LEX_UNTERMINATED;) {
        if (opened && begins_query(p, t)) {
            uint32_t last_end;
            const uint32_t close = closing(p, span, t.start, &last_end);

            plpgsql_add_statement(p, PLPGSQL_EXPRESSION, (Span){(uint32_t)t.start, last_end}, (Span){0},
                                  (Span){0});
            t = next(p, span, close);
        }
        opened = lex_is_char(p->body.ptr, t, '(');
        t = next(p, span, t.end);
    }
}

/* ---- EXECUTE ---- */

/* The value of '…' or $…$; escapes are left to the server. */
bool plpgsql_constant(Arena *arena, Str token, Str *value, uint32_t *open, bool *exact) {
    char *text;
    size_t n = 0;

    if (token.len < 2)
        return false;
    if (token.ptr[0] == '$') {
        const char *tag_end = memchr(token.ptr + 1, '$', token.len - 1);
        const size_t tag = tag_end ? (size_t)(tag_end - token.ptr) + 1 : 0;

        if (tag == 0 || token.len < 2 * tag)
            return false;
        *value = arena_str(arena, (Str){token.ptr + tag, token.len - 2 * tag});
        *open = (uint32_t)tag;
        *exact = true;
        return true;
    }
    if (token.ptr[0] != '\'')
        return false;
    text = ARENA_ARRAY(arena, char, token.len);
    *exact = true;
    for (size_t i = 1; i + 1 < token.len; i++) {
        text[n++] = token.ptr[i];
        if (token.ptr[i] != '\'')
            continue;
        if (token.ptr[i + 1] != '\'' || i + 2 >= token.len)
            return false; /* 'a' 'b', on several lines */
        *exact = false;
        i++;
    }
    *value = (Str){text, n};
    *open = 1;
    return true;
}

void plpgsql_add_dynamic(Plpgsql *p, Span span) {
    const LexToken token = next(p, span, span.start);
    PlpgsqlPart *part;
    uint32_t open;
    Str value;
    bool exact;

    if (p->failed || span.end <= span.start)
        return;
    if (token.kind == LEX_STRING && token.end == span.end &&
        plpgsql_constant(p->arena, (Str){p->body.ptr + token.start, token.end - token.start}, &value, &open,
                         &exact)) {
        part = new_part(p, PLPGSQL_CONSTANT, (uint32_t)token.start + open);
        part->text = value;
        part->exact = exact;
        part->in_quotes = p->body.ptr[token.start] == '\'';
        part->variables = NULL;
        return;
    }
    plpgsql_add_expression(p, span);
    part = new_part(p, PLPGSQL_DYNAMIC, span.start);
    part->text = (Str){copy_of(p, span), span.end - span.start};
}
