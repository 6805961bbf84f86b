/* Which column a name means: aliases, unqualified names, the columns of sub-selects. */
#include "rewrite/scope_level.h"

#include <string.h>

#include "rewrite/outputs.h"

Env *scope_new_env(Level *level, const Block *block, const Names *names, Env *outer) {
    Env *env = ARENA_NEW(level->scope->rw->arena, Env);

    (void)scope_take(level->scope, sizeof(Env));
    env->level = level;
    env->block = block;
    env->names = names;
    env->outer = outer;
    return env;
}

void scope_add_item(Env *env, const char *schema, const char *name, const Columns *columns) {
    env->items = scope_grow(env->level->scope, env->items, env->nitems, &env->item_capacity, sizeof(Item));
    env->items[env->nitems++] = (Item){schema, name, columns};
}

void scope_add_visible(Env *env, const Columns *columns) {
    env->visible =
        scope_grow(env->level->scope, env->visible, env->nvisible, &env->visible_capacity, sizeof(Columns *));
    env->visible[env->nvisible++] = columns;
}

void scope_add_column(Scope *scope, Columns *columns, const char *name, int node) {
    if (!scope_spend(scope, 1))
        return;
    if (columns->n == columns->capacity) {
        int capacity = columns->capacity;

        columns->nodes = scope_grow(scope, columns->nodes, columns->n, &capacity, sizeof(int));
        columns->names = scope_grow(scope, columns->names, columns->n, &columns->capacity, sizeof(char *));
    }
    columns->names[columns->n] = name;
    columns->nodes[columns->n++] = node;
}

int scope_find_column(const Columns *columns, const char *name) {
    for (int i = 0; i < columns->n; i++) {
        if (columns->names[i] && strcmp(columns->names[i], name) == 0)
            return i;
    }
    return -1;
}

static const Item *find_item(const Env *env, const Name *qualifier) {
    for (int i = 0; i < env->nitems; i++) {
        const Item *item = &env->items[i];

        if (item->name && strcmp(item->name, qualifier->name) == 0 &&
            (!qualifier->schema || (item->schema && strcmp(item->schema, qualifier->schema) == 0)))
            return item;
    }
    return NULL;
}

static int node_in(const Env *env, const Columns *columns, const char *column) {
    int i = scope_find_column(columns, column);

    if (i < 0 && columns->grows) {
        scope_add_column(env->level->scope, (Columns *)columns, column,
                         scope_new_node(env->level, columns->rel));
        i = scope_find_column(columns, column);
    }
    if (i >= 0)
        return columns->nodes[i];
    return columns->absent && strcmp(columns->absent, column) == 0 ? columns->absent_node : SCOPE_NO_NODE;
}

/* Among the FROM items of one block. *found: the name is one of its columns, if not one that binds. */
static int lookup_unqualified(const Env *env, const char *column, bool *found) {
    int node = SCOPE_NO_NODE, absent = SCOPE_NO_NODE, matches = 0, absents = 0;

    for (int i = 0; i < env->nvisible; i++) {
        const Columns *columns = env->visible[i];
        int at = scope_find_column(columns, column);

        if (at >= 0) {
            node = columns->nodes[at];
            matches++;
        } else if (columns->absent && strcmp(columns->absent, column) == 0) {
            absent = columns->absent_node;
            absents++;
        } else if (columns->open) {
            *found = true;
        }
    }
    *found |= matches + absents > 0;
    if (matches > 0)
        return matches == 1 ? node : SCOPE_NO_NODE;
    return absents == 1 ? absent : SCOPE_NO_NODE;
}

static bool within_budget(const Env *env, bool qualified) {
    int64_t names = qualified ? env->nitems : 0;

    for (int i = 0; i < env->nvisible && !qualified; i++)
        names += env->visible[i]->n + 1;
    return scope_spend(env->level->scope, names + 1);
}

/* The node in the level of *where; *barred: it is not to be equated with anything. */
static int lookup(Env *env, const Name *qualifier, const char *column, const Env **where, bool *barred) {
    *barred = false;
    for (Env *at = env; at && within_budget(at, qualifier && qualifier->name); at = at->outer) {
        bool found = false;
        int node = SCOPE_NO_NODE;

        if (qualifier && qualifier->name) {
            const Item *item = find_item(at, qualifier);

            found = item != NULL;
            node = item ? node_in(at, item->columns, column) : SCOPE_NO_NODE;
        } else {
            node = lookup_unqualified(at, column, &found);
        }
        *where = at;
        if (found)
            return node;
        if (at->outer && at->reached_outside)
            *at->reached_outside = true;
        *barred |= at->closed;
    }
    return SCOPE_NO_NODE;
}

int scope_lookup(Env *env, const Name *qualifier, const char *column) {
    const Env *where = env;
    bool barred;
    int node = lookup(env, qualifier, column, &where, &barred);

    return where->level == env->level && !barred ? node : SCOPE_NO_NODE;
}

const Value *scope_expr_value(Env *env, const Expr *expr) {
    const Env *where = env;
    bool barred;
    int node;

    if (expr->kind != EXPR_COLUMN || !expr->column)
        return scope_value(env->level->scope, expr);
    node = lookup(env, &expr->name, expr->column, &where, &barred);
    return node == SCOPE_NO_NODE ? NULL : where->level->nodes[node].fixed;
}

static bool same_type(const Level *level, int node, const Expr *cast);

int scope_expr_node(Env *env, const Expr *expr) {
    if (!expr)
        return SCOPE_NO_NODE;
    if (expr->kind == EXPR_COLUMN && expr->column)
        return scope_lookup(env, &expr->name, expr->column);
    if (expr->kind == EXPR_OTHER && expr->column && expr->nargs == 1 && expr->args[0]->kind == EXPR_COLUMN &&
        expr->args[0]->column && !expr->args[0]->name.name) /* (t).c */
        return scope_lookup(env, &(Name){.name = expr->args[0]->column}, expr->column);
    if (expr->kind == EXPR_CAST && expr->nargs == 1) {
        int node = scope_expr_node(env, expr->args[0]);

        return node != SCOPE_NO_NODE && same_type(env->level, node, expr) ? node : SCOPE_NO_NODE;
    }
    return SCOPE_NO_NODE;
}

/* Whether a cast of a column is to the type that it has: only of a tenant column is the type known here. */
static bool same_type(const Level *level, int node, const Expr *cast) {
    const Scope *scope = level->scope;

    for (int i = 0; i < scope->nrefs && scope_spend(level->scope, 1); i++) {
        const Ref *ref = scope->refs[i];

        if (ref->level == level && ref->node == node && ref->table->tenant)
            return cast->name.name && !cast->typmod_or_array &&
                   strcmp(cast->name.name, ref->table->tenant->type_name) == 0;
    }
    return false;
}

/* ---- SELECT lists ---- */

static void add_all(Scope *scope, const Columns *from, Columns *outputs) {
    for (int i = 0; i < from->n && !scope->gave_up; i++)
        scope_add_column(scope, outputs, from->names[i], from->nodes[i]);
    outputs->open |= from->open;
}

static void add_star(Env *env, const Expr *star, Columns *outputs) {
    Scope *scope = env->level->scope;

    if (star->name.name) {
        const Item *item = find_item(env, &star->name);

        if (item)
            add_all(scope, item->columns, outputs);
        else
            outputs->open = true;
        return;
    }
    for (int i = 0; i < env->nvisible; i++)
        add_all(scope, env->visible[i], outputs);
}

void scope_outputs(Env *env, const Target *targets, int ntargets, bool whole, Columns *outputs) {
    Level *level = env->level;

    for (int i = 0; i < ntargets && !level->scope->gave_up; i++) {
        const Target *target = &targets[i];
        const Value *value;
        int node;

        if (target->expr && target->expr->kind == EXPR_STAR) {
            /* Behind columns of unknown number no position is known. */
            add_star(env, target->expr, outputs);
            continue;
        }
        node = scope_expr_node(env, target->expr);
        value = whole ? scope_value(level->scope, target->expr) : NULL;
        if (value) {
            node = scope_new_node(level, -1);
            scope_bind(level, node, value);
            if (node != SCOPE_NO_NODE)
                level->nodes[node].fixed = value;
        }
        scope_add_column(level->scope, outputs, outputs_target_name(target), node);
    }
}
