/* What a function, an operator or a cast may depend on beside its arguments, seen from the text. */
#ifndef REWRITE_VOLATILITY_H
#define REWRITE_VOLATILITY_H

#include "rewrite/names.h"

typedef enum Volatility { VOLATILITY_IMMUTABLE, VOLATILITY_STABLE, VOLATILITY_VOLATILE } Volatility;

/* Where expressions stand: how function names are resolved, and the types of columns. */
typedef struct VolatilityScope {
    const Names *names;
    /* The type (pg_type.typname) of an EXPR_COLUMN; NULL if it is not known. */
    const char *(*column_type)(const Expr *column, void *arg);
    void *arg;
} VolatilityScope;

/* The type (pg_type.typname) of the expression's value; NULL if it is not known, or if it is a literal or a
 * parameter, which take the type that is needed. */
const char *volatility_type(const VolatilityScope *scope, const Expr *expr) MUST_USE;

/* Of the expression's own function, operator or cast, not of what stands inside it. What is not known, a
 * user's function or type, counts as immutable. */
Volatility volatility_own(const VolatilityScope *scope, const Expr *expr) MUST_USE;

/* Of a conversion from one type to another; NULL is a literal, or not known. */
Volatility volatility_of_cast(const char *from, const char *to) MUST_USE;

/* Whether anything in the expression, sub-selects aside, is more than `at_most`. NULL is not. */
bool volatility_exceeds(const VolatilityScope *scope, const Expr *expr, Volatility at_most) MUST_USE;

#endif
