/* A default is known where it is a constant: its text, as the catalog has it, is parsed and looked at as a
 * cell of a VALUES row would be. */
#include "rewrite/insert_default.h"

#include <string.h>

#include "rewrite/cell.h"

static const Expr *parse_expression(Arena *arena, const char *text) {
    const char *query = arena_printf(arena, "SELECT %s", text);
    const Facts *facts;
    Error err;

    facts = facts_parse(arena, str_of(query), (FactsLimits){0}, &err);
    if (!facts || facts->nstatements != 1 || !facts->statements[0].block ||
        facts->statements[0].block->ntargets != 1)
        return NULL;
    return facts->statements[0].block->targets[0].expr;
}

static InsertDefault default_of(Rewrite *rw, const Column *column) {
    const Expr *expr;

    if (column->generated || column->identity)
        return (InsertDefault){.kind = INSERT_DEFAULT_UNKNOWN};
    if (!column->default_expr)
        return (InsertDefault){.kind = strcmp(column->type_schema, "pg_catalog") == 0
                                           ? INSERT_DEFAULT_NULL
                                           : INSERT_DEFAULT_UNKNOWN};
    expr = parse_expression(rw->arena, column->default_expr);
    if (!expr || !cell_is_constant(rw, expr))
        return (InsertDefault){.kind = INSERT_DEFAULT_UNKNOWN};
    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    if (expr->kind == EXPR_CONST && expr->const_type == CONST_NULL)
        return (InsertDefault){.kind = INSERT_DEFAULT_NULL};
    return (InsertDefault){.kind = INSERT_DEFAULT_CONSTANT, .text = str_of(column->default_expr)};
}

const InsertDefault *insert_defaults(Rewrite *rw, const ForeignKey *fk) {
    InsertDefault *defaults = ARENA_ARRAY(rw->arena, InsertDefault, fk->ncolumns);

    for (int k = 0; k < fk->ncolumns; k++)
        defaults[k] = default_of(rw, fk->child_columns[k]);
    return defaults;
}
