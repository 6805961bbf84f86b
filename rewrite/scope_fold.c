/* Conditions that are known before a row is read: 1 = 0, false, x = NULL.
 *
 * The planner folds them, and Citus reads no shard where nothing can pass. Only what is certain for any type
 * is folded: integers, equal strings, NULLs. A parameter is open: the answer is to hold for all its values.
 */
#include "rewrite/scope_level.h"

#include <stdlib.h>
#include <string.h>

static Truth truth_of(bool value) { return value ? TRUTH_TRUE : TRUTH_FALSE; }

static Truth negate(Truth truth) {
    static const Truth negated[] = {TRUTH_OPEN, TRUTH_FALSE, TRUTH_TRUE, TRUTH_NULL};

    return negated[truth];
}

static Truth all_of(Env *env, const Expr *expr) {
    Truth result = TRUTH_TRUE;

    for (int i = 0; i < expr->nargs; i++) {
        Truth truth = scope_truth(env, expr->args[i]);

        if (truth == TRUTH_FALSE)
            return TRUTH_FALSE;
        if (truth == TRUTH_OPEN || (truth == TRUTH_NULL && result != TRUTH_OPEN))
            result = truth;
    }
    return result;
}

static Truth any_of(Env *env, const Expr *expr) {
    Truth result = TRUTH_FALSE;

    for (int i = 0; i < expr->nargs; i++) {
        Truth truth = scope_truth(env, expr->args[i]);

        if (truth == TRUTH_TRUE)
            return TRUTH_TRUE;
        if (truth == TRUTH_OPEN || (truth == TRUTH_NULL && result != TRUTH_OPEN))
            result = truth;
    }
    return result;
}

/* ---- comparisons ---- */

static bool is_null(const Expr *expr) {
    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr->kind == EXPR_CONST && (expr->const_type == CONST_NULL || !expr->value);
}

static int compare_integers(const char *a, const char *b) {
    bool negative = *a == '-';
    size_t na = strlen(a), nb = strlen(b);
    int order;

    if (negative != (*b == '-'))
        return negative ? -1 : 1;
    order = na != nb ? (na > nb) - (na < nb) : strcmp(a, b);
    return negative ? -order : order;
}

static Truth compare(const char *op, int order) {
    static const struct {
        const char *op;
        bool less, equal, greater;
    } operators[] = {
        {"=", false, true, false}, {"<>", true, false, true}, {"<", true, false, false},
        {"<=", true, true, false}, {">", false, false, true}, {">=", false, true, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (strcmp(operators[i].op, op) == 0)
            return truth_of(order < 0   ? operators[i].less
                            : order > 0 ? operators[i].greater
                                        : operators[i].equal);
    }
    return TRUTH_OPEN;
}

static bool is_string(const Expr *expr) {
    return expr->kind == EXPR_CONST && expr->const_type == CONST_STRING;
}

/* A literal, or two with an operator: generated conditions have no more. */
static bool is_simple(const Expr *expr, int depth) {
    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    for (int i = 0; expr->kind == EXPR_OP && i < expr->nargs; i++) {
        if (depth > 1 || !is_simple(expr->args[i], depth + 1))
            return false;
    }
    return expr->kind == EXPR_CONST || expr->kind == EXPR_OP;
}

/* The literals' values decide, so the answer is that of this very text. */
static Truth compare_literals(Env *env, const char *op, const Expr *left, const Expr *right) {
    Scope *scope = env->level->scope;
    bool simple = is_simple(left, 0) && is_simple(right, 0);
    const Value *a = simple ? scope_value(scope, left) : NULL, *b = a ? scope_value(scope, right) : NULL;
    Truth truth = TRUTH_OPEN;

    if (!a || !b || !a->literal || !b->literal)
        return TRUTH_OPEN;
    if (scope_is_integer(a) && scope_is_integer(b))
        truth = compare(op, compare_integers(a->key, b->key));
    else if (is_string(left) && is_string(right) && (strcmp(op, "=") == 0 || strcmp(op, "<>") == 0))
        truth = compare(op, strcmp(a->key, b->key)); /* two strings with no type are text */
    scope->rw->literals_matter |= truth != TRUTH_OPEN;
    return truth;
}

static Truth operator_truth(Env *env, const Expr *expr) {
    const Name name = {.schema = expr->op_schema, .name = expr->op};
    Truth left, right;

    if (expr->nargs != 2 || !expr->op || !names_in_catalog(env->names, &name))
        return TRUTH_OPEN;
    if (is_null(expr->args[0]) || is_null(expr->args[1]))
        return TRUTH_NULL; /* no operator of a condition takes NULL */
    if (strcmp(expr->op, "=") == 0 && expr->args[0]->kind != EXPR_COLUMN &&
        expr->args[1]->kind != EXPR_COLUMN) {
        left = scope_truth(env, expr->args[0]);
        right = left == TRUTH_OPEN ? TRUTH_OPEN : scope_truth(env, expr->args[1]);
        if (left != TRUTH_OPEN && right != TRUTH_OPEN)
            return left == TRUTH_NULL || right == TRUTH_NULL ? TRUTH_NULL : truth_of(left == right);
    }
    return compare_literals(env, expr->op, expr->args[0], expr->args[1]);
}

static Truth in_truth(Env *env, const Expr *expr) {
    Truth result = TRUTH_FALSE;

    for (int i = 1; i < expr->nargs; i++) {
        bool null = is_null(expr->args[0]) || is_null(expr->args[i]);
        Truth truth = null ? TRUTH_NULL : compare_literals(env, "=", expr->args[0], expr->args[i]);

        if (truth == TRUTH_TRUE)
            return truth_of(!expr->negated);
        if (truth == TRUTH_OPEN || (truth == TRUTH_NULL && result != TRUTH_OPEN))
            result = truth;
    }
    return expr->negated ? negate(result) : result;
}

static Truth test_truth(Env *env, const Expr *expr) {
    Truth inner = expr->nargs == 1 ? scope_truth(env, expr->args[0]) : TRUTH_OPEN;
    const char *test = expr->value ? expr->value : "";
    Truth asked = strstr(test, "TRUE") ? TRUTH_TRUE : strstr(test, "FALSE") ? TRUTH_FALSE : TRUTH_NULL;

    if (inner == TRUTH_OPEN)
        return TRUTH_OPEN;
    return truth_of((inner == asked) != expr->negated);
}

Truth scope_truth(Env *env, const Expr *expr) {
    if (!scope_spend(env->level->scope, 1))
        return TRUTH_OPEN;
    switch (expr->kind) {
    case EXPR_CONST:
        if (expr->const_type == CONST_NULL)
            return TRUTH_NULL;
        return expr->const_type == CONST_BOOLEAN && expr->value ? truth_of(strcmp(expr->value, "true") == 0)
                                                                : TRUTH_OPEN;
    case EXPR_AND:
        return all_of(env, expr);
    case EXPR_OR:
        return any_of(env, expr);
    case EXPR_NOT:
        return expr->nargs == 1 ? negate(scope_truth(env, expr->args[0])) : TRUTH_OPEN;
    case EXPR_OP:
        return operator_truth(env, expr);
    case EXPR_LIKE:
        return expr->nargs >= 2 && (is_null(expr->args[0]) || is_null(expr->args[1])) ? TRUTH_NULL
                                                                                      : TRUTH_OPEN;
    case EXPR_IN:
        return in_truth(env, expr);
    case EXPR_IS_NULL:
        if (expr->nargs != 1 || expr->args[0]->kind != EXPR_CONST)
            return TRUTH_OPEN;
        return truth_of(is_null(expr->args[0]) != expr->negated);
    case EXPR_BOOLEAN_TEST:
        return test_truth(env, expr);
    default:
        return TRUTH_OPEN;
    }
}

bool scope_never(Env *env, const Expr *expr) {
    bool never = expr->kind == EXPR_OR && expr->nargs > 0;
    Truth truth;

    if (expr->kind == EXPR_AND || expr->kind == EXPR_OR) {
        for (int i = 0; i < expr->nargs; i++) {
            if (scope_never(env, expr->args[i]) != never)
                return !never;
        }
        return never;
    }
    truth = scope_truth(env, expr);
    return truth == TRUTH_FALSE || truth == TRUTH_NULL;
}
