/* May a value be repeated?
 *
 * Literals, parameters, their casts to the server's own types and arithmetic on these may: the text is
 * copied. Anything else might answer differently the second time, or do something (nextval), and is computed
 * once. What returns a set (PostgreSQL lets `VALUES (unnest($1))` insert several rows) fits neither. */
#include "rewrite/cell.h"

#include <string.h>

#include "rewrite/functions.h"
#include "rewrite/walk.h"

static bool is_one_of(const char *name, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Types whose input and casts give the same value throughout a statement. */
static bool plain_type(const Rewrite *rw, const Name *type) {
    static const char *const names[] = {
        "bool", "bpchar",  "bytea", "char", "date", "float4",    "float8",      "int2", "int4",   "int8",
        "name", "numeric", "oid",   "text", "time", "timestamp", "timestamptz", "uuid", "varchar"};

    return type->name && names_in_catalog(rw->names, type) && is_one_of(type->name, names, ARRAY_LEN(names));
}

static bool plain_operator(const Rewrite *rw, const Expr *expr) {
    static const char *const names[] = {"+", "-", "*", "/", "%", "||"};
    Name name = {.schema = expr->op_schema, .name = expr->op};

    return expr->op && names_in_catalog(rw->names, &name) && is_one_of(expr->op, names, ARRAY_LEN(names));
}

static bool repeatable(const Rewrite *rw, const Expr *expr, bool params) {
    bool plain = false;

    if (!expr)
        return false;
    switch (expr->kind) {
    case EXPR_CONST:
        return true;
    case EXPR_PARAM:
        return params;
    case EXPR_CAST:
        plain = plain_type(rw, &expr->name);
        break;
    case EXPR_OP:
        plain = plain_operator(rw, expr);
        break;
    default:
        break;
    }
    for (int i = 0; plain && i < expr->nargs; i++)
        plain = repeatable(rw, expr->args[i], params);
    return plain;
}

bool cell_is_constant(const Rewrite *rw, const Expr *expr) { return repeatable(rw, expr, false); }

typedef struct Look {
    const Rewrite *rw;
    bool leave;
} Look;

/* Sub-selects are stepped over: what happens inside stays inside. */
static bool look(const Expr *expr, void *arg) {
    Look *state = arg;

    switch (expr->kind) {
    case EXPR_SUBLINK:
        for (int i = 0; i < expr->nargs; i++)
            walk_expr(expr->args[i], NULL, &(Walk){.expr = look, .arg = arg});
        return false;
    case EXPR_COLUMN:
    case EXPR_STAR:
    case EXPR_DEFAULT:
    case EXPR_CURRENT_OF:
        state->leave = true;
        return false;
    case EXPR_FUNC:
        if (names_in_catalog(state->rw->names, &expr->name)) {
            FunctionKind kind = function_kind(expr->name.name);

            state->leave |= kind > FUNCTION_VOLATILE;
        }
        state->leave |= expr->is_window;
        return true;
    default:
        return true;
    }
}

/* Hardly a key's type: the error, if it is one, is to be the assignment's, not the cast's. */
static bool fits_no_key(const Expr *expr) {
    return expr->kind == EXPR_ARRAY || expr->kind == EXPR_ROW ||
           (expr->kind == EXPR_CONST && (expr->const_type == CONST_BOOLEAN || expr->const_type == CONST_BIT));
}

CellUse cell_use(const Rewrite *rw, const Expr *expr) {
    Look state = {.rw = rw};

    if (!expr)
        return CELL_LEAVE;
    if (expr->kind == EXPR_DEFAULT)
        return CELL_DEFAULT;
    if (fits_no_key(expr))
        return CELL_LEAVE;
    if (repeatable(rw, expr, true))
        return CELL_COPY;
    walk_expr(expr, NULL, &(Walk){.expr = look, .arg = &state});
    return state.leave ? CELL_LEAVE : CELL_ONCE;
}
