/* DECLARE: variables, cursors and other names for what is there already. */
#include <stdlib.h>

#include "parser/plpgsql_internal.h"

static const FactsVariable *find(const Plpgsql *p, const char *name) {
    for (const FactsVariable *v = p->visible; v; v = v->outer) {
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

/* "name ALIAS FOR $1;", behind ALIAS: another name of the same variable. */
static void alias(Plpgsql *p, const char *name, const char *label) {
    FactsVariable *variable = ARENA_NEW(p->arena, FactsVariable);
    int number = ++p->nvariables;

    plpgsql_want(p, "for");
    if (p->token.kind == LEX_PARAM) {
        number = atoi(p->body.ptr + p->token.start + 1);
        plpgsql_next(p);
    } else if (plpgsql_at_name(p)) {
        const FactsVariable *meant = find(p, plpgsql_name(p));

        number = meant ? meant->number : number;
        plpgsql_next(p);
    }
    plpgsql_skip(p, (const char *const[]){NULL});
    *variable = (FactsVariable){.outer = p->visible, .name = name, .label = label, .number = number};
    p->visible = variable;
}

/* "(name type, …)" of a cursor. */
static void cursor_arguments(Plpgsql *p, const char *cursor) {
    do {
        plpgsql_next(p);
        if (!plpgsql_at_name(p)) {
            plpgsql_fail(p, "a cursor's argument");
            return;
        }
        plpgsql_declare(p, plpgsql_name(p), cursor);
        for (int depth = 0; p->token.kind != LEX_END; plpgsql_next(p)) {
            if (depth == 0 && (plpgsql_at_char(p, ',') || plpgsql_at_char(p, ')')))
                break;
            depth += plpgsql_at_char(p, '(') - plpgsql_at_char(p, ')');
        }
    } while (plpgsql_at_char(p, ','));
    plpgsql_want_char(p, ')');
}

/* "name CURSOR (…) FOR query;", behind CURSOR. */
static void cursor(Plpgsql *p, const char *name, const char *label) {
    const FactsVariable *outside = p->visible;

    if (plpgsql_at_char(p, '('))
        cursor_arguments(p, name);
    if (!plpgsql_take(p, "is"))
        plpgsql_want(p, "for");
    plpgsql_add_statement(p, PLPGSQL_QUERY, plpgsql_skip(p, (const char *const[]){NULL}), (Span){0},
                          (Span){0});
    p->visible = outside;
    plpgsql_declare(p, name, label);
}

static bool at_cursor(Plpgsql *p) {
    if (plpgsql_at(p, "no") && lex_is_word(p->body.ptr, plpgsql_peek(p), "scroll"))
        plpgsql_next(p);
    if (plpgsql_at(p, "scroll") && lex_is_word(p->body.ptr, plpgsql_peek(p), "cursor"))
        plpgsql_next(p);
    return plpgsql_take(p, "cursor");
}

static void declaration(Plpgsql *p, const char *label) {
    static const char *const behind_type[] = {":=", "=", "default", NULL};
    const char *name = NULL;

    if (!plpgsql_at_name(p)) {
        plpgsql_fail(p, "a variable's name");
        return;
    }
    name = plpgsql_name(p);
    plpgsql_next(p);
    if (plpgsql_take(p, "alias")) {
        alias(p, name, label);
    } else if (at_cursor(p)) {
        cursor(p, name, label);
    } else {
        plpgsql_skip(p, behind_type);
        if (!plpgsql_at_char(p, ';')) {
            plpgsql_next(p);
            plpgsql_add_expression(p, plpgsql_skip(p, (const char *const[]){NULL}));
        }
        plpgsql_declare(p, name, label);
    }
    plpgsql_want_char(p, ';');
}

void plpgsql_declarations(Plpgsql *p, const char *label) {
    while (p->token.kind != LEX_END && !plpgsql_at(p, "begin")) {
        if (!plpgsql_take(p, "declare"))
            declaration(p, label);
    }
}
