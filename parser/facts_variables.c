/* Variables of a function in the facts of its statements.
 *
 * PL/pgSQL and SQL functions let a parameter's name stand wherever a column's may. Here the columns that are
 * none become parameters, so that nobody who reads the facts has to know. A name that an item in FROM bears
 * is that item's: where it could be both, the function would fail. What ORDER BY, GROUP BY and ON CONFLICT
 * name by a bare word is an output or a column. */
#include <string.h>

#include "parser/facts.h"

/* A variable's field that occurred. */
typedef struct Field {
    const FactsVariable *variable;
    const char *name;
    int number;
} Field;

typedef struct Bind {
    Arena *arena;
    const FactsScope *scope;
    Field *fields;
    int nfields, capacity;
    const Block *block; /* whose expressions are visited */
} Bind;

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static bool item_has_name(const FromItem *item, const char *name) {
    if (!item)
        return false;
    if (item->kind == FROM_JOIN)
        return is(item->alias, name) || is(item->using_alias, name) || item_has_name(item->left, name) ||
               item_has_name(item->right, name);
    return is(item->alias ? item->alias : item->name.name, name);
}

/* Whether something in the FROM of the block, or of one around it, has this name. */
static bool in_from(const Block *block, const char *name) {
    for (; block; block = block->parent) {
        if (item_has_name(block->target, name))
            return true;
        if (block->kind == BLOCK_INSERT && block->conflict == CONFLICT_UPDATE && is(name, "excluded"))
            return true;
        for (int i = 0; i < block->nfrom; i++) {
            if (item_has_name(block->from[i], name))
                return true;
        }
    }
    return false;
}

static int field_number(Bind *bind, const FactsVariable *variable, const char *name) {
    Field *field;

    for (int i = 0; i < bind->nfields; i++) {
        if (bind->fields[i].variable == variable && strcmp(bind->fields[i].name, name) == 0)
            return bind->fields[i].number;
    }
    if (bind->nfields == bind->capacity) {
        Field *old = bind->fields;

        bind->capacity = bind->capacity ? 2 * bind->capacity : 8;
        bind->fields = ARENA_ARRAY(bind->arena, Field, bind->capacity);
        if (old)
            memcpy(bind->fields, old, sizeof(Field) * (size_t)bind->nfields);
    }
    field = &bind->fields[bind->nfields++];
    *field = (Field){variable, name, FACTS_FIELD_NUMBER + bind->nfields};
    return field->number;
}

/* The number of the parameter that a.b.c is; 0 if it is a column. */
static int meaning(Bind *bind, const Name *name, const char *column) {
    if (name->catalog || !column)
        return 0;
    if (name->name && in_from(bind->block, name->name))
        return 0;
    for (const FactsVariable *v = bind->scope->variables; v; v = v->outer) {
        if (!name->name) {
            if (is(v->name, column))
                return v->number;
        } else if (!name->schema) {
            if (is(v->label, name->name) && is(v->name, column))
                return v->number;
            if (is(v->name, name->name))
                return field_number(bind, v, column);
        } else if (is(v->label, name->schema) && is(v->name, name->name)) {
            return field_number(bind, v, column);
        }
    }
    return 0;
}

static bool stands_alone(const Expr *expr, Expr *const *list, int n) {
    for (int i = 0; i < n; i++) {
        if (list[i] == expr && !expr->name.name)
            return true;
    }
    return false;
}

static bool is_said_to_be_column(const FactsScope *scope, const Expr *expr) {
    for (int i = 0; i < scope->ncolumns; i++) {
        if (scope->columns[i] == expr->location)
            return true;
    }
    return false;
}

/* The facts are this folder's own until they are handed out. */
static void bind_expr(const Expr *visited, void *arg) {
    Bind *bind = arg;
    const Block *block = bind->block;
    Expr *expr = (Expr *)visited;
    int number;

    if (expr->kind == EXPR_OTHER && expr->column && expr->nargs == 1 && expr->args[0] &&
        expr->args[0]->kind == EXPR_COLUMN && !expr->args[0]->name.name) { /* (variable).field */
        const Name name = {.name = expr->args[0]->column};

        number = meaning(bind, &name, expr->column);
        if (number > 0)
            *expr = (Expr){.kind = EXPR_PARAM, .location = expr->location, .number = number};
        return;
    }
    if (expr->kind != EXPR_COLUMN || is_said_to_be_column(bind->scope, expr) ||
        stands_alone(expr, block->order_by, block->norder_by) ||
        stands_alone(expr, block->group_by, block->ngroup_by) ||
        stands_alone(expr, block->distinct_on, block->ndistinct_on) ||
        stands_alone(expr, block->conflict_target, block->nconflict_target))
        return;
    number = meaning(bind, &expr->name, expr->column);
    if (number > 0) {
        expr->kind = EXPR_PARAM;
        expr->number = number;
    }
}

static void bind_block(const Block *block, void *arg) {
    Bind *bind = arg;

    bind->block = block;
    facts_walk_exprs(block, bind_expr, arg);
}

const Facts *facts_parse_in_function(Arena *arena, Str text, FactsLimits limits, const FactsScope *scope,
                                     Error *err) {
    const Facts *facts = facts_parse(arena, text, limits, err);
    Bind bind = {.arena = arena, .scope = scope};

    for (int i = 0; facts && scope->variables && i < facts->nstatements; i++)
        facts_walk_blocks(&facts->statements[i], bind_block, &bind);
    return facts;
}
