/* `INSERT INTO line_items (order_id) VALUES (currval('orders_order_id_seq'))` has its value before it is
 * sent, unless it moves that very sequence itself. A sequence's name may be written in several ways, so they
 * are compared by their last part alone. */
#include "rewrite/insert_sequence.h"

#include <string.h>
#include <strings.h>

#include "rewrite/functions.h"
#include "rewrite/survey.h"
#include "rewrite/walk.h"

#define MAX_READ 16

typedef struct Sequences {
    const Rewrite *rw;
    Str read[MAX_READ];
    int nread;
    bool reads_last; /* lastval(): any sequence may be it */
    bool disturbed;
} Sequences;

/* The last part of 's.t', '"s"."t"': without quotes. Empty if it is no constant. */
static Str sequence_name(const Expr *arg) {
    Str name = {0};
    const char *dot;

    while (arg && arg->kind == EXPR_CAST && arg->nargs == 1)
        arg = arg->args[0];
    if (!arg || arg->kind != EXPR_CONST || !arg->value)
        return name;
    dot = strrchr(arg->value, '.');
    name = str_of(dot ? dot + 1 : arg->value);
    if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
        name = (Str){name.ptr + 1, name.len - 2};
    return name;
}

static bool same_name(Str a, Str b) { return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0; }

static void move(Sequences *s, Str name) {
    s->disturbed |= s->reads_last || name.len == 0;
    for (int i = 0; i < s->nread; i++)
        s->disturbed |= same_name(s->read[i], name);
}

static bool is_function(const Expr *expr, const char *name) { return strcmp(expr->name.name, name) == 0; }

static bool find_read(const Expr *expr, void *arg) {
    Sequences *s = arg;

    if (expr->kind != EXPR_FUNC || !expr->name.name)
        return true;
    s->reads_last |= is_function(expr, "lastval");
    if (is_function(expr, "currval") && expr->nargs == 1) {
        Str name = sequence_name(expr->args[0]);

        if (s->nread < MAX_READ && name.len > 0)
            s->read[s->nread++] = name;
        else
            s->reads_last = true;
    }
    return true;
}

static bool find_move(const Expr *expr, void *arg) {
    static const char *const harmless[] = {"clock_timestamp", "currval", "gen_random_uuid",
                                           "lastval",         "random",  "timeofday"};
    Sequences *s = arg;
    FunctionKind kind;

    if (expr->kind != EXPR_FUNC)
        return true;
    if (!expr->name.name || !names_in_catalog(s->rw->names, &expr->name)) {
        s->disturbed = true;
        return false;
    }
    kind = function_kind(expr->name.name);
    for (size_t i = 0; i < ARRAY_LEN(harmless) && kind == FUNCTION_VOLATILE; i++) {
        if (is_function(expr, harmless[i]))
            kind = FUNCTION_SCALAR;
    }
    if (kind == FUNCTION_VOLATILE && (is_function(expr, "nextval") || is_function(expr, "setval")))
        move(s, expr->nargs > 0 ? sequence_name(expr->args[0]) : (Str){0});
    else
        s->disturbed |= kind == FUNCTION_VOLATILE || kind == FUNCTION_UNKNOWN;
    return true;
}

/* Whether some row leaves the column to its default. */
static bool uses_default(const InsertPlan *plan, const Column *column) {
    for (int i = 0; i < plan->ncells; i++) {
        if (plan->columns[i] != column)
            continue;
        for (int row = 0; row < plan->nrows; row++) {
            const Expr *expr = plan->block->rows[row].cells[i].expr;

            if (expr && expr->kind == EXPR_DEFAULT)
                return true;
        }
        return false;
    }
    return true;
}

static void look_at_defaults(Sequences *s, const InsertPlan *plan) {
    Rewrite *rw = plan->rw;

    for (int i = 0; i < plan->table->ncolumns; i++) {
        const Column *column = &plan->table->columns[i];

        if (!uses_default(plan, column) && (!column->identity || plan->block->overriding != OVERRIDING_USER))
            continue;
        if (column->identity) {
            move(s, str_of(arena_printf(rw->arena, "%s_%s_seq", plan->table->name, column->name)));
        } else if (column->default_expr) {
            InsertDefault value = insert_default(rw, column);

            if (value.expr)
                walk_expr(value.expr, NULL, &(Walk){.expr = find_move, .arg = s});
            else
                s->disturbed = true;
        }
    }
}

bool insert_sequence_is_quiet(const InsertPlan *plan) {
    Sequences s = {.rw = plan->rw};

    for (int row = 0; row < plan->nrows; row++) {
        for (int k = 0; k < plan->fk->ncolumns; k++) {
            const Expr *expr = insert_plan_part(plan, row, k)->expr;

            if (expr)
                walk_expr(expr, plan->block, &(Walk){.expr = find_read, .arg = &s});
        }
    }
    plan->rw->literals_matter = true;
    s.disturbed = plan->rw->survey->written.n > 1 || (s.reads_last && plan->nrows > 1);
    walk_statement(plan->rw->statement, &(Walk){.expr = find_move, .arg = &s});
    look_at_defaults(&s, plan);
    return !s.disturbed;
}
