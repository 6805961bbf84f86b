/* May a value be repeated, or evaluated early?
 *
 * Literals, parameters, their casts to the server's own types and arithmetic on these may be repeated: the
 * text is copied. Anything else might answer differently the second time, or do something (nextval), and is
 * computed once. What returns a set (PostgreSQL lets `VALUES (unnest($1))` insert several rows) fits neither.
 * Early, ahead of the statement, may come whatever depends on the transaction at most. */
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
    bool leave, set, unknown;
} Look;

static void look_at_function(Look *state, const Expr *expr) {
    FunctionKind kind = FUNCTION_UNKNOWN;

    if (expr->name.name && names_in_catalog(state->rw->names, &expr->name))
        kind = function_kind(expr->name.name);
    state->leave |= expr->is_window || kind == FUNCTION_AGGREGATE || kind == FUNCTION_WINDOW;
    state->set |= kind == FUNCTION_SET_RETURNING;
    state->unknown |= kind == FUNCTION_UNKNOWN;
}

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
        look_at_function(state, expr);
        return true;
    default:
        return true;
    }
}

bool cell_fits_no_key(const Expr *expr) {
    return expr->kind == EXPR_ARRAY || expr->kind == EXPR_ROW ||
           (expr->kind == EXPR_CONST && (expr->const_type == CONST_BOOLEAN || expr->const_type == CONST_BIT));
}

CellUse cell_use(const Rewrite *rw, const Expr *expr) {
    Look state = {.rw = rw};

    if (!expr)
        return CELL_LEAVE;
    if (expr->kind == EXPR_DEFAULT)
        return CELL_DEFAULT;
    if (repeatable(rw, expr, true))
        return CELL_COPY;
    walk_expr(expr, NULL, &(Walk){.expr = look, .arg = &state});
    if (state.leave)
        return CELL_LEAVE;
    return state.set ? CELL_SET : state.unknown ? CELL_UNKNOWN : CELL_ONCE;
}

/* Differs from one statement to the next within a transaction. */
static bool of_the_statement(const char *function) {
    static const char *const names[] = {"statement_timestamp", "txid_current_snapshot", "txid_snapshot_xmax",
                                        "txid_snapshot_xmin", "txid_visible_in_snapshot"};

    return is_one_of(function, names, ARRAY_LEN(names));
}

static bool foreseeable_function(const Rewrite *rw, const Expr *expr, bool *reads_sequence) {
    static const char *const readers[] = {"currval", "lastval"};

    if (!expr->name.name || expr->is_window || !names_in_catalog(rw->names, &expr->name))
        return false;
    if (is_one_of(expr->name.name, readers, ARRAY_LEN(readers))) {
        *reads_sequence = true;
        return true;
    }
    return function_kind(expr->name.name) == FUNCTION_SCALAR && !of_the_statement(expr->name.name);
}

static bool foreseeable_operator(const Rewrite *rw, const Expr *expr) {
    static const char *const names[] = {"->", "->>", "#>", "#>>", "=", "<>", "<", ">", "<=", ">="};
    Name name = {.schema = expr->op_schema, .name = expr->op};

    return plain_operator(rw, expr) ||
           (expr->op && names_in_catalog(rw->names, &name) && is_one_of(expr->op, names, ARRAY_LEN(names)));
}

static bool foreseeable_type(const Rewrite *rw, const Name *type) {
    static const char *const names[] = {"json", "jsonb", "regclass", "timetz", "interval"};

    return plain_type(rw, type) || (type->name && names_in_catalog(rw->names, type) &&
                                    is_one_of(type->name, names, ARRAY_LEN(names)));
}

bool cell_is_foreseeable(const Rewrite *rw, const Expr *expr, bool *reads_sequence) {
    bool yes = false;

    if (!expr)
        return false;
    switch (expr->kind) {
    case EXPR_CONST:
    case EXPR_PARAM:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_IS_NULL:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        yes = true;
        break;
    case EXPR_CAST:
        yes = foreseeable_type(rw, &expr->name);
        break;
    case EXPR_OP:
        yes = foreseeable_operator(rw, expr);
        break;
    case EXPR_FUNC:
        yes = foreseeable_function(rw, expr, reads_sequence);
        break;
    default:
        break;
    }
    for (int i = 0; yes && i < expr->nargs; i++)
        yes = cell_is_foreseeable(rw, expr->args[i], reads_sequence);
    return yes;
}

typedef struct SublinkSearch {
    bool found, from_tables;
} SublinkSearch;

static bool find_table(const FromItem *item, const Block *block, void *arg) {
    SublinkSearch *search = arg;

    (void)block;
    search->from_tables |= item->kind == FROM_TABLE;
    return true;
}

static bool find_sublink(const Expr *expr, void *arg) {
    SublinkSearch *search = arg;

    if (expr->kind == EXPR_SUBLINK) {
        search->found = true;
        walk_block(expr->block, &(Walk){.from = find_table, .arg = arg});
    }
    return true;
}

bool cell_has_sublink(const Expr *expr, bool *from_tables) {
    SublinkSearch search = {0};

    if (expr)
        walk_expr(expr, NULL, &(Walk){.expr = find_sublink, .arg = &search});
    *from_tables |= search.from_tables;
    return search.found;
}
