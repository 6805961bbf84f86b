/* Values as text, so that two expressions are the same value if they have the same text.
 *
 * A value is whatever the planner makes one constant of: constants and parameters, and what immutable
 * operators and functions make of them. Where it cannot be said that two are equal ('5.0' and '5'), the texts
 * differ: two values that are not seen to be one count as two. */
#include "rewrite/scope_level.h"

#include <stdlib.h>
#include <string.h>

#include "rewrite/functions.h"

/* What is longer is not followed: no tenant is computed like that. */
#define MAX_KEY 1000
#define MAX_ARGUMENTS 100

/* "007", "+7" and "7" are one integer; NULL if the text is none. */
static const char *canonical_integer(Arena *arena, const char *text) {
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');

    while (*digits == '0' && digits[1] != '\0')
        digits++;
    if (strspn(digits, "0123456789") != strlen(digits) || *digits == '\0')
        return NULL;
    return arena_printf(arena, "%s%s", negative && *digits != '0' ? "-" : "", digits);
}

bool scope_is_integer(const Value *value) {
    const char *digits = value->key + (value->key[0] == '-');

    return value->literal && *digits != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

static const Value *new_value(Scope *scope, const char *key, bool literal) {
    Value *value = ARENA_NEW(scope->rw->arena, Value);

    value->key = key;
    value->literal = literal;
    return value;
}

static const Value *fractional_value(Scope *scope, const char *key, bool literal) {
    Value *value = ARENA_NEW(scope->rw->arena, Value);

    *value = (Value){.key = key, .literal = literal, .fractional = true};
    return value;
}

static const Value *literal_value(Scope *scope, const Expr *expr) {
    Arena *arena = scope->rw->arena;
    const char *integer = NULL;

    if (expr->const_type == CONST_NULL || !expr->value)
        return new_value(scope, "NULL", false);
    if (expr->const_type == CONST_INTEGER || expr->const_type == CONST_STRING)
        integer = canonical_integer(arena, expr->value);
    /* '05' is 5 to an integer column, and something else to a text column. */
    if (integer && (expr->const_type == CONST_INTEGER || strcmp(integer, expr->value) == 0))
        return new_value(scope, integer, true);
    if (expr->const_type == CONST_FLOAT)
        return fractional_value(scope, arena_printf(arena, "%s::numeric", expr->value), true);
    return new_value(scope, arena_printf(arena, "'%s'", expr->value), expr->const_type != CONST_BOOLEAN);
}

/* Types from or to which a conversion depends on the session, unless it is a literal's. */
static bool depends_on_session(const char *type) {
    static const char *const types[] = {"date",     "time", "timetz",   "timestamp", "timestamptz", "money",
                                        "interval", "xml",  "regclass", "regtype",   "regproc"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i], type) == 0)
            return true;
    }
    return false;
}

static bool is_integer_type(const char *type) {
    return strcmp(type, "int8") == 0 || strcmp(type, "int4") == 0 || strcmp(type, "int2") == 0;
}

/* An integer stays what it is as any type that a tenant may have; of anything else a cast may make another
 * value. */
static const Value *cast_value(Scope *scope, const Expr *expr) {
    const Value *inner = expr->nargs == 1 ? scope_value(scope, expr->args[0]) : NULL;
    const char *type = expr->name.name ? expr->name.name : "";

    if (!inner || (expr->args[0]->kind != EXPR_CONST && depends_on_session(type)))
        return NULL;
    if (strcmp(type, "numeric") == 0 || strncmp(type, "float", 5) == 0)
        return fractional_value(scope, arena_printf(scope->rw->arena, "%s::%s", inner->key, type),
                                inner->literal);
    if (scope_is_integer(inner) || (inner->key[0] == '$' && !strchr(inner->key, ':')))
        return inner;
    if (expr->args[0]->kind == EXPR_CONST && is_integer_type(type) && inner->key[0] == '\'') {
        char *text = arena_strndup(scope->rw->arena, inner->key + 1, strlen(inner->key) - 2);
        const char *integer = canonical_integer(scope->rw->arena, text);

        if (integer)
            return new_value(scope, integer, true);
    }
    return new_value(scope, arena_printf(scope->rw->arena, "%s::%s", inner->key, type), inner->literal);
}

/* The values of all arguments, in the arena; NULL unless all are fixed. */
static const Value **argument_values(Scope *scope, const Expr *expr) {
    const Value **values = ARENA_ARRAY(scope->rw->arena, const Value *, expr->nargs + 1);

    for (int i = 0; i < expr->nargs; i++) {
        values[i] = scope_value(scope, expr->args[i]);
        if (!values[i])
            return NULL;
    }
    return values;
}

static const Value *combine(Scope *scope, const Value **args, int nargs, const char *name) {
    const char *key = arena_printf(scope->rw->arena, "%s/%d", name, nargs);
    bool literal = false, fractional = false;

    for (int i = 0; i < nargs; i++) {
        literal |= args[i]->literal;
        fractional |= args[i]->fractional;
        key = arena_printf(scope->rw->arena, "%s(%s)", key, args[i]->key);
        if (strlen(key) > MAX_KEY)
            return NULL;
    }
    return fractional ? fractional_value(scope, key, literal) : new_value(scope, key, literal);
}

/* NULL unless all arguments are fixed. */
static const Value *combined(Scope *scope, const Expr *expr, const char *name) {
    const Value **args = expr->nargs <= MAX_ARGUMENTS ? argument_values(scope, expr) : NULL;

    return args ? combine(scope, args, expr->nargs, name) : NULL;
}

/* 2 + 3 is 5; NULL where the planner's result is not this one. */
static const Value *arithmetic(Scope *scope, const Value **args, const char *op) {
    long long a, b, result;

    if (!scope_is_integer(args[0]) || !scope_is_integer(args[1]) || strlen(args[0]->key) > 9 ||
        strlen(args[1]->key) > 9)
        return NULL;
    a = atoll(args[0]->key);
    b = atoll(args[1]->key);
    if (strcmp(op, "+") == 0)
        result = a + b;
    else if (strcmp(op, "-") == 0)
        result = a - b;
    else if (strcmp(op, "*") == 0)
        result = a * b;
    else if (strcmp(op, "/") == 0 && b != 0)
        result = a / b;
    else if (strcmp(op, "%") == 0 && b != 0)
        result = a % b;
    else
        return NULL;
    return new_value(scope, arena_printf(scope->rw->arena, "%lld", result), true);
}

static bool in_catalog(const Scope *scope, const Expr *expr) {
    return names_in_catalog(scope->rw->names, &(Name){.schema = expr->op_schema, .name = expr->op});
}

/* 'a' || 'b': of what is no string, the text depends on the session. */
static bool is_text(const Expr *expr) {
    bool join = expr->kind == EXPR_OP && expr->nargs == 2 && expr->op && strcmp(expr->op, "||") == 0;

    return join ? is_text(expr->args[0]) && is_text(expr->args[1])
                : expr->kind == EXPR_CONST && expr->const_type == CONST_STRING;
}

/* What stands before a timestamp is no tenant: those are the operators that may be stable. */
static const Value *operator_value(Scope *scope, const Expr *expr) {
    static const char *const operators[] = {"+",  "-",   "*",   "/", "%",  "^", "&", "|",  "#",
                                            "->", "->>", "#>>", "=", "<>", "<", ">", "<=", ">="};

    bool known = false;
    const Value **args, *result = NULL;

    for (size_t i = 0; expr->op && i < ARRAY_LEN(operators); i++)
        known |= strcmp(expr->op, operators[i]) == 0;
    if (expr->nargs > 2 || (!known && !is_text(expr)) || !in_catalog(scope, expr))
        return NULL;
    args = argument_values(scope, expr);
    if (args && expr->nargs == 2)
        result = arithmetic(scope, args, expr->op);
    return result || !args ? result : combine(scope, args, expr->nargs, expr->op);
}

/* extract(year FROM date '2024-01-01'): of a timestamptz it would depend on the time zone. */
static bool is_part_of_date(const Expr *expr) {
    const Expr *from = expr->nargs == 2 ? expr->args[1] : NULL;

    return (strcmp(expr->name.name, "extract") == 0 || strcmp(expr->name.name, "date_part") == 0) && from &&
           from->kind == EXPR_CAST && from->nargs == 1 && from->args[0]->kind == EXPR_CONST &&
           from->name.name &&
           (strcmp(from->name.name, "date") == 0 || strcmp(from->name.name, "timestamp") == 0);
}

static const Value *call_value(Scope *scope, const Expr *expr) {
    const char *name = expr->name.name;
    const Value *value;

    if (!name || expr->is_window || expr->nargs != expr->ncall_args ||
        (!function_is_immutable(name) && !is_part_of_date(expr)) ||
        !names_in_catalog(scope->rw->names, &expr->name))
        return NULL;
    value = combined(scope, expr, name);
    return value && is_part_of_date(expr) ? fractional_value(scope, value->key, value->literal) : value;
}

const Value *scope_value(Scope *scope, const Expr *expr) {
    if (!expr || !scope_spend(scope, 1))
        return NULL;
    switch (expr->kind) {
    case EXPR_CONST:
        return literal_value(scope, expr);
    case EXPR_PARAM:
        return expr->number > 0 ? new_value(scope, arena_printf(scope->rw->arena, "$%d", expr->number), false)
                                : NULL;
    case EXPR_CAST:
        return cast_value(scope, expr);
    case EXPR_OP:
        return operator_value(scope, expr);
    case EXPR_FUNC:
        return call_value(scope, expr);
    case EXPR_COALESCE:
        return combined(scope, expr, expr->op);
    case EXPR_CASE:
        return combined(scope, expr, "case");
    case EXPR_ARRAY:
        return combined(scope, expr, "array");
    case EXPR_OTHER: /* (ARRAY[5, 6])[1] */
        return expr->nargs == 2 && expr->args[0] && expr->args[0]->kind == EXPR_ARRAY
                   ? combined(scope, expr, "[]")
                   : NULL;
    default:
        return NULL;
    }
}
