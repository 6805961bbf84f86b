/* PL/pgSQL's loops, and which of them have a variable of their own. */
#include "parser/plpgsql_internal.h"

static void expression(Plpgsql *p, const char *const *until) {
    plpgsql_add_expression(p, plpgsql_skip(p, until));
}

static void loop_body(Plpgsql *p) {
    plpgsql_want(p, "loop");
    plpgsql_statements(p);
    plpgsql_end_of(p, "loop");
}

static void loop_statement(Plpgsql *p, const char *label) {
    (void)label;
    loop_body(p);
}

static void while_statement(Plpgsql *p, const char *label) {
    static const char *const loop[] = {"loop", NULL};

    (void)label;
    plpgsql_next(p);
    expression(p, loop);
    loop_body(p);
}

static void foreach_statement(Plpgsql *p, const char *label) {
    static const char *const in[] = {"in", NULL}, *const loop[] = {"loop", NULL};

    (void)label;
    plpgsql_next(p);
    plpgsql_skip(p, in);
    plpgsql_want(p, "in");
    plpgsql_want(p, "array");
    expression(p, loop);
    loop_body(p);
}

static bool is_variable(const Plpgsql *p, const char *name) {
    for (const FactsVariable *v = p->visible; v; v = v->outer) {
        if (strcmp(v->name, name) == 0)
            return true;
    }
    return false;
}

/* "c LOOP", "c (arguments) LOOP": the rows of a cursor. */
static bool at_cursor(Plpgsql *p) {
    const LexToken behind = plpgsql_peek(p);

    return plpgsql_at_name(p) &&
           (lex_is_char(p->body.ptr, behind, '(') || lex_is_word(p->body.ptr, behind, "loop")) &&
           is_variable(p, plpgsql_name(p));
}

/* What a loop runs over, behind IN. True if the loop has a variable of its own. */
static bool for_range(Plpgsql *p) {
    static const char *const loop[] = {"loop", NULL}, *const dots[] = {"..", "loop", NULL},
                             *const by[] = {"by", "loop", NULL};
    Span span;

    if (plpgsql_take(p, "execute")) {
        plpgsql_dynamic(p, loop);
        return false;
    }
    if (at_cursor(p)) {
        expression(p, loop);
        return true;
    }
    plpgsql_take(p, "reverse");
    span = plpgsql_skip(p, dots);
    if (!plpgsql_at_text(p, "..")) {
        plpgsql_add_statement(p, PLPGSQL_QUERY, span, (Span){0}, (Span){0});
        return false;
    }
    plpgsql_add_expression(p, span);
    plpgsql_next(p);
    expression(p, by);
    if (plpgsql_take(p, "by"))
        expression(p, loop);
    return true;
}

static void for_statement(Plpgsql *p, const char *label) {
    static const char *const in[] = {"in", NULL};
    const FactsVariable *outside = p->visible;
    const char *name = NULL;

    plpgsql_next(p);
    if (plpgsql_at_name(p))
        name = plpgsql_name(p);
    plpgsql_skip(p, in);
    plpgsql_want(p, "in");
    if (for_range(p) && name)
        plpgsql_declare(p, name, label);
    loop_body(p);
    p->visible = outside;
}

static const struct {
    const char *word;
    void (*read)(Plpgsql *p, const char *label);
} loops[] = {
    {"loop", loop_statement},
    {"while", while_statement},
    {"for", for_statement},
    {"foreach", foreach_statement},
};

bool plpgsql_loop(Plpgsql *p, const char *label) {
    for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
        if (plpgsql_at(p, loops[i].word)) {
            loops[i].read(p, label);
            return true;
        }
    }
    return false;
}
