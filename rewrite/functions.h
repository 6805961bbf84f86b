/* What is known of the functions of pg_catalog, by name. */
#ifndef REWRITE_FUNCTIONS_H
#define REWRITE_FUNCTIONS_H

#include <stdbool.h>

typedef enum FunctionKind {
    FUNCTION_UNKNOWN, /* not of pg_catalog, or one that reads tables by itself */
    FUNCTION_SCALAR,
    FUNCTION_VOLATILE, /* scalar, but not to be moved or repeated */
    FUNCTION_SET_RETURNING,
    FUNCTION_AGGREGATE,
    FUNCTION_WINDOW,
} FunctionKind;

/* Of a function that is looked up in pg_catalog (names_in_catalog). Where overloads differ, the kind that
 * permits less. */
FunctionKind function_kind(const char *name);

/* Whether a call of it with constants is a constant to the planner: of some functions that is known. */
bool function_is_immutable(const char *name);

#endif
