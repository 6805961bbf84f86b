/* The default's text, as the catalog has it, is parsed and looked at as a cell of a VALUES row would be. Its
 * names are qualified but for those of pg_catalog: it means the same to a session that looks there first. */
#include "rewrite/insert_default.h"

#include <string.h>

#include "rewrite/cell.h"

static const Expr *parse_expression(Arena *arena, const char *text) {
    const char *query = arena_printf(arena, "SELECT %s", text);
    const Facts *facts;
    Error err;

    facts = facts_parse_unnamed(arena, str_of(query), (FactsLimits){0}, &err);
    if (!facts || facts->nstatements != 1 || !facts->statements[0].block ||
        facts->statements[0].block->ntargets != 1)
        return NULL;
    return facts->statements[0].block->targets[0].expr;
}

InsertDefault insert_default(Rewrite *rw, const Column *column) {
    InsertDefault result = {.kind = INSERT_DEFAULT_UNKNOWN};
    const Expr *value;

    if (column->generated || column->identity)
        return result;
    if (!column->default_expr) {
        if (strcmp(column->type_schema, "pg_catalog") == 0)
            result.kind = INSERT_DEFAULT_NULL;
        return result;
    }
    result.expr = value = parse_expression(rw->arena, column->default_expr);
    result.text = str_of(column->default_expr);
    if (!value)
        return result;
    if (!cell_is_constant(rw, value)) {
        if (rw->names->catalog_first)
            result.kind = INSERT_DEFAULT_COMPUTED;
        return result;
    }
    while (value->kind == EXPR_CAST && value->nargs == 1)
        value = value->args[0];
    result.kind = value->kind == EXPR_CONST && value->const_type == CONST_NULL ? INSERT_DEFAULT_NULL
                                                                               : INSERT_DEFAULT_CONSTANT;
    return result;
}
