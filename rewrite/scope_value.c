/* Values as text, so that two expressions are the same value if they have the same text. Where that cannot be
 * said
 * ('5.0' and '5'), the texts differ: two values that are not seen to be one count as two. */
#include "rewrite/scope_level.h"

#include <string.h>

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

static const Value *new_value(Scope *scope, const char *key, bool literal) {
    Value *value = ARENA_NEW(scope->rw->arena, Value);

    value->key = key;
    value->literal = literal;
    return value;
}

static const Value *literal_value(Scope *scope, const Expr *expr) {
    Arena *arena = scope->rw->arena;
    const char *integer = NULL;

    if (expr->const_type == CONST_NULL || !expr->value)
        return new_value(scope, "NULL", false);
    if (expr->const_type == CONST_INTEGER || expr->const_type == CONST_STRING)
        integer = canonical_integer(arena, expr->value);
    if (integer)
        return new_value(scope, integer, true);
    return new_value(scope, arena_printf(arena, "'%s'", expr->value), expr->const_type != CONST_BOOLEAN);
}

/* An integer stays what it is as any type that a tenant may have; of anything else a cast may make another
 * value. */
static const Value *cast_value(Scope *scope, const Expr *expr) {
    const Value *inner = expr->nargs == 1 ? scope_value(scope, expr->args[0]) : NULL;

    if (!inner || (inner->literal && strspn(inner->key, "-0123456789") == strlen(inner->key)) ||
        inner->key[0] == '$')
        return inner;
    return new_value(
        scope, arena_printf(scope->rw->arena, "%s::%s", inner->key, expr->name.name ? expr->name.name : ""),
        inner->literal);
}

static const Value *operator_value(Scope *scope, const Expr *expr) {
    const char *key = expr->op;
    bool literal = false;

    if (!expr->op || strlen(expr->op) != 1 || !strchr("+-*/%", expr->op[0]))
        return NULL;
    for (int i = 0; i < expr->nargs; i++) {
        const Value *arg = scope_value(scope, expr->args[i]);

        if (!arg)
            return NULL;
        literal |= arg->literal;
        key = arena_printf(scope->rw->arena, "%s(%s)", key, arg->key);
    }
    return new_value(scope, key, literal);
}

const Value *scope_value(Scope *scope, const Expr *expr) {
    if (!expr)
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
    default:
        return NULL;
    }
}
