/* An assignment converts a value to the column's type; in a FROM the values of several rows must have a
 * common one first, and a literal or a parameter takes whatever type its neighbours have. So these are cast.
 * A cast converts more than an assignment does: what no assignment would take is left, for the server to
 * refuse. */
#include "rewrite/insert_cast.h"

#include <string.h>

/* Has no type until it is assigned to a column. */
static bool is_untyped(const Expr *expr) {
    return expr->kind == EXPR_PARAM ||
           (expr->kind == EXPR_CONST && (expr->const_type == CONST_STRING || expr->const_type == CONST_NULL));
}

static bool has_type(const Column *column, const char *const *names, size_t n) {
    for (size_t i = 0; i < n && strcmp(column->type_schema, "pg_catalog") == 0; i++) {
        if (strcmp(column->type_name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool takes_text(const Column *column) {
    static const char *const names[] = {"text", "varchar", "bpchar"};

    return has_type(column, names, ARRAY_LEN(names));
}

static bool takes_literal(const Column *column, const Expr *literal) {
    static const char *const numbers[] = {"int2", "int4", "int8", "float4", "float8", "numeric"};
    static const char *const bools[] = {"bool"};

    if (takes_text(column))
        return true;
    if (literal->const_type == CONST_INTEGER || literal->const_type == CONST_FLOAT)
        return has_type(column, numbers, ARRAY_LEN(numbers));
    return literal->const_type == CONST_BOOLEAN && has_type(column, bools, ARRAY_LEN(bools));
}

/* Text that says it is text. */
static bool is_text(const Expr *expr) {
    return expr->kind == EXPR_CAST && expr->name.name &&
           (strcmp(expr->name.name, "text") == 0 || strcmp(expr->name.name, "varchar") == 0);
}

bool insert_cast_needed(const Expr *expr, const Column *column, bool common) {
    if (is_untyped(expr))
        return true;
    if (expr->kind == EXPR_CONST)
        return takes_literal(column, expr);
    return common && (takes_text(column) || !is_text(expr));
}
