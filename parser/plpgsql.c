/* PL/pgSQL's statements.
 *
 * Which one it is shows in its first word, unless an assignment follows: the language's words may be names of
 * variables. Conditions and values end where the language's own reader ends them, at the first of its words
 * outside parentheses, whatever SQL would make of it. */
#include "base/error.h"
#include "parser/plpgsql_internal.h"

static void block(Plpgsql *p, const char *label);

static const char *const to_semicolon[] = {NULL};

static void expression(Plpgsql *p, const char *const *until) {
    plpgsql_add_expression(p, plpgsql_skip(p, until));
}

static void end_statement(Plpgsql *p) { plpgsql_want_char(p, ';'); }

static void skip_statement(Plpgsql *p) { plpgsql_skip(p, to_semicolon); }

static void rest_is_expression(Plpgsql *p) {
    plpgsql_next(p);
    expression(p, to_semicolon);
}

void plpgsql_end_of(Plpgsql *p, const char *word) {
    plpgsql_want(p, "end");
    plpgsql_want(p, word);
    if (plpgsql_at_name(p))
        plpgsql_next(p);
    end_statement(p);
}

/* ---- SQL ---- */

static void query(Plpgsql *p, const char *const *until) {
    plpgsql_add_statement(p, PLPGSQL_QUERY, plpgsql_skip(p, until), (Span){0}, (Span){0});
}

void plpgsql_dynamic(Plpgsql *p, const char *const *until) {
    const char *const behind_text[] = {"into", "using", *until, NULL};

    plpgsql_add_dynamic(p, plpgsql_skip(p, behind_text));
    while (plpgsql_at(p, "into") || plpgsql_at(p, "using")) {
        plpgsql_next(p);
        expression(p, behind_text);
    }
}

static void perform(Plpgsql *p) {
    const Span word = {(uint32_t)p->token.start, (uint32_t)p->token.end};
    Span span;

    plpgsql_next(p);
    span = plpgsql_skip(p, to_semicolon);
    plpgsql_add_statement(p, PLPGSQL_QUERY, (Span){word.start, span.end}, (Span){0}, word);
}

/* INTO and its targets, up to the token behind them. */
static Span into_targets(Plpgsql *p) {
    const uint32_t start = (uint32_t)p->token.start;

    plpgsql_next(p);
    plpgsql_take(p, "strict");
    for (;;) {
        if (!plpgsql_at_name(p) && p->token.kind != LEX_PARAM) {
            plpgsql_fail(p, "a variable");
            break;
        }
        plpgsql_next(p);
        while (plpgsql_take_char(p, '.')) {
            if (plpgsql_at_name(p))
                plpgsql_next(p);
        }
        if (!plpgsql_take_char(p, ','))
            break;
    }
    return (Span){start, (uint32_t)p->token.start};
}

/* Whether it makes a function, whose own body may have semicolons. */
static bool makes_routine(const Plpgsql *p) {
    LexToken t = p->token;

    if (!lex_is_word(p->body.ptr, t, "create"))
        return false;
    for (int i = 0; i < 3; i++) {
        t = lex_next(p->body.ptr, p->body.len, t.end);
        if (lex_is_word(p->body.ptr, t, "function") || lex_is_word(p->body.ptr, t, "procedure"))
            return true;
    }
    return false;
}

static int routine_depth(const Plpgsql *p, int depth) {
    if (plpgsql_at(p, "begin") || (depth > 0 && plpgsql_at(p, "case")))
        return depth + 1;
    return depth > 0 && plpgsql_at(p, "end") ? depth - 1 : depth;
}

static void sql(Plpgsql *p) {
    const uint32_t start = (uint32_t)p->token.start;
    const bool imports = plpgsql_at(p, "import"), routine = makes_routine(p);
    uint32_t end = start;
    Span into = {0};
    bool behind_verb = false;
    int parens = 0, begins = 0;

    while (p->token.kind != LEX_END && !(plpgsql_at_char(p, ';') && parens <= 0 && begins == 0)) {
        if (plpgsql_at(p, "into") && !behind_verb && !imports && !routine) {
            if (into.end > 0)
                plpgsql_fail(p, "no second INTO");
            into = into_targets(p);
            continue;
        }
        parens += plpgsql_at_char(p, '(') - plpgsql_at_char(p, ')');
        begins = routine ? routine_depth(p, begins) : 0;
        behind_verb = plpgsql_at(p, "insert") || plpgsql_at(p, "merge");
        end = (uint32_t)p->token.end;
        plpgsql_next(p);
    }
    if (p->token.kind == LEX_END)
        plpgsql_fail(p, ";");
    if (into.end > end) /* INTO stands at its end */
        into.end = into.start = 0;
    plpgsql_add_statement(p, PLPGSQL_STATEMENT, (Span){start, end}, into, (Span){0});
}

/* ---- conditions ---- */

static void if_statement(Plpgsql *p) {
    static const char *const then[] = {"then", NULL};

    do {
        plpgsql_next(p);
        expression(p, then);
        plpgsql_want(p, "then");
        plpgsql_statements(p);
    } while (plpgsql_at(p, "elsif") || plpgsql_at(p, "elseif"));
    if (plpgsql_take(p, "else"))
        plpgsql_statements(p);
    plpgsql_end_of(p, "if");
}

static void case_statement(Plpgsql *p) {
    static const char *const when[] = {"when", NULL}, *const then[] = {"then", NULL};

    plpgsql_next(p);
    if (!plpgsql_at(p, "when"))
        expression(p, when);
    while (plpgsql_take(p, "when")) {
        expression(p, then);
        plpgsql_want(p, "then");
        plpgsql_statements(p);
    }
    if (plpgsql_take(p, "else"))
        plpgsql_statements(p);
    plpgsql_end_of(p, "case");
}

/* ---- the rest ---- */

static void exit_statement(Plpgsql *p) {
    static const char *const when[] = {"when", NULL};

    plpgsql_next(p);
    plpgsql_skip(p, when);
    if (plpgsql_take(p, "when"))
        expression(p, to_semicolon);
}

static void return_query(Plpgsql *p) {
    const int nparts = p->out->nparts;

    if (plpgsql_take(p, "execute"))
        plpgsql_dynamic(p, to_semicolon);
    else
        query(p, to_semicolon);
    if (p->out->nparts > nparts)
        p->out->parts[nparts].returned = true;
}

static void return_statement(Plpgsql *p) {
    plpgsql_next(p);
    if (plpgsql_take(p, "query")) {
        return_query(p);
        return;
    }
    plpgsql_take(p, "next");
    expression(p, to_semicolon);
}

static void execute_statement(Plpgsql *p) {
    plpgsql_next(p);
    plpgsql_dynamic(p, to_semicolon);
}

/* OPEN c FOR query, OPEN c FOR EXECUTE …, OPEN c (arguments). */
static void open_statement(Plpgsql *p) {
    static const char *const by_for[] = {"for", NULL};

    plpgsql_next(p);
    plpgsql_add_expression(p, plpgsql_skip(p, by_for));
    if (!plpgsql_take(p, "for"))
        return;
    if (plpgsql_take(p, "execute"))
        plpgsql_dynamic(p, to_semicolon);
    else
        query(p, to_semicolon);
}

/* `a := …`, `a[1] = …`, `a.b[f(x)].c := …` */
static bool at_assignment(const Plpgsql *p) {
    const LexToken behind = plpgsql_peek(p);
    const char *s = p->body.ptr + behind.start;
    const size_t len = behind.end - behind.start;

    if (!plpgsql_at_name(p) && p->token.kind != LEX_PARAM)
        return false;
    if (behind.kind == LEX_OPERATOR)
        return len == 1 && *s == '=';
    return behind.kind == LEX_PUNCT && (*s == '[' || (*s == '.' && len == 1) || (len == 2 && s[1] == '='));
}

static void assignment(Plpgsql *p) {
    static const char *const equals[] = {":=", "=", NULL};

    plpgsql_add_expression(p, plpgsql_skip(p, equals));
    plpgsql_next(p);
    expression(p, to_semicolon);
}

static const struct {
    const char *word;
    void (*read)(Plpgsql *p); /* up to the semicolon */
} simple[] = {
    {"assert", rest_is_expression}, {"close", skip_statement},      {"commit", skip_statement},
    {"continue", exit_statement},   {"execute", execute_statement}, {"exit", exit_statement},
    {"fetch", skip_statement},      {"get", skip_statement},        {"move", skip_statement},
    {"null", skip_statement},       {"open", open_statement},       {"perform", perform},
    {"raise", rest_is_expression},  {"return", return_statement},   {"rollback", skip_statement},
};

/* "<<name>>"; NULL if none stands there. */
static const char *label_of(Plpgsql *p) {
    const char *label;

    if (!plpgsql_at_text(p, "<<"))
        return NULL;
    plpgsql_next(p);
    if (!plpgsql_at_name(p)) {
        plpgsql_fail(p, "a label");
        return NULL;
    }
    label = plpgsql_name(p);
    plpgsql_next(p);
    if (!plpgsql_at_text(p, ">>"))
        plpgsql_fail(p, ">>");
    plpgsql_next(p);
    return label;
}

static bool loop_or_block(Plpgsql *p) {
    const char *label = label_of(p);

    if (plpgsql_loop(p, label))
        return true;
    if (plpgsql_at(p, "declare") || plpgsql_at(p, "begin")) {
        block(p, label);
        end_statement(p);
        return true;
    }
    if (label)
        plpgsql_fail(p, "a loop or a block");
    return false;
}

static void statement(Plpgsql *p) {
    if (at_assignment(p)) {
        assignment(p);
        end_statement(p);
        return;
    }
    if (loop_or_block(p))
        return;
    if (plpgsql_at(p, "if")) {
        if_statement(p);
        return;
    }
    if (plpgsql_at(p, "case")) {
        case_statement(p);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
        if (plpgsql_at(p, simple[i].word)) {
            simple[i].read(p);
            end_statement(p);
            return;
        }
    }
    if (p->token.kind != LEX_WORD && !plpgsql_at_char(p, '(')) {
        plpgsql_fail(p, "a statement");
        return;
    }
    sql(p);
    end_statement(p);
}

static bool at_list_end(const Plpgsql *p) {
    static const char *const words[] = {"end", "else", "elsif", "elseif", "when", "exception"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (plpgsql_at(p, words[i]))
            return !at_assignment(p);
    }
    return p->token.kind == LEX_END;
}

void plpgsql_statements(Plpgsql *p) {
    if (++p->depth > PLPGSQL_MAX_DEPTH && !p->failed) {
        error_set(p->err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                  "PL/pgSQL: blocks and loops stand in each other more than %d deep", PLPGSQL_MAX_DEPTH);
        p->failed = true;
        p->token = (LexToken){LEX_END, p->body.len, p->body.len};
    }
    while (!at_list_end(p))
        statement(p);
    p->depth--;
}

static void handlers(Plpgsql *p) {
    static const char *const then[] = {"then", NULL};
    const FactsVariable *outside = p->visible;

    plpgsql_declare(p, "sqlstate", NULL);
    plpgsql_declare(p, "sqlerrm", NULL);
    while (plpgsql_take(p, "when")) {
        plpgsql_skip(p, then);
        plpgsql_want(p, "then");
        plpgsql_statements(p);
    }
    p->visible = outside;
}

/* Up to its END and the label there. */
static void block(Plpgsql *p, const char *label) {
    const FactsVariable *outside = p->visible;

    if (plpgsql_take(p, "declare"))
        plpgsql_declarations(p, label);
    plpgsql_want(p, "begin");
    plpgsql_statements(p);
    if (plpgsql_take(p, "exception"))
        handlers(p);
    plpgsql_want(p, "end");
    if (plpgsql_at_name(p))
        plpgsql_next(p);
    p->visible = outside;
}

/* "#variable_conflict use_column" and the like, ahead of the outermost block. */
static void options(Plpgsql *p) {
    static const struct {
        const char *word;
        PlpgsqlConflict conflict;
    } conflicts[] = {{"error", PLPGSQL_CONFLICT_ERROR},
                     {"use_variable", PLPGSQL_USE_VARIABLE},
                     {"use_column", PLPGSQL_USE_COLUMN}};

    while (plpgsql_at_text(p, "#")) {
        plpgsql_next(p);
        if (plpgsql_take(p, "variable_conflict")) {
            for (size_t i = 0; i < ARRAY_LEN(conflicts); i++) {
                if (plpgsql_at(p, conflicts[i].word)) {
                    p->out->has_conflict = true;
                    p->out->conflict = conflicts[i].conflict;
                }
            }
        } else {
            plpgsql_next(p);
        }
        plpgsql_next(p);
    }
}

const PlpgsqlBody *plpgsql_parse(Arena *arena, Str body, const FactsVariable *parameters, Error *err) {
    Plpgsql p = {.arena = arena, .body = body, .err = err, .visible = parameters, .line = 1};

    p.out = ARENA_NEW(arena, PlpgsqlBody);
    for (const FactsVariable *v = parameters; v; v = v->outer)
        p.nvariables = v->number > p.nvariables ? v->number : p.nvariables;
    plpgsql_declare(&p, "found", NULL);
    plpgsql_next(&p);
    options(&p);
    block(&p, label_of(&p));
    plpgsql_take_char(&p, ';');
    if (!p.failed && p.token.kind != LEX_END)
        plpgsql_fail(&p, "the end of the body");
    return p.failed ? NULL : p.out;
}
