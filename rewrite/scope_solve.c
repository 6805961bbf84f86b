/* From classes to references: level by level, from the outside in.
 *
 * What the columns of a level are bound to settles its references to tenant tables, and goes down, where a
 * condition may be pushed, to the outputs of the levels below. */
#include "rewrite/scope_level.h"

/* An arm without tenant table that Citus runs by itself: then it does so with the others, too. */
static bool runs_apart(const Level *level) {
    return level->block->kind == BLOCK_SELECT &&
           (level->block->nfrom == 0 || scope_runs_ahead(level->scope, level->env->names, level->block));
}

/* Into a set operation a condition is pushed whole or not at all. */
static bool may_push_to_all(Level *level, int output) {
    if (!scope_spend(level->scope, level->block->ntargets + 1) || !scope_may_push(level, output))
        return false;
    if (level->left && (runs_apart(level->left) || runs_apart(level->right)))
        return false;
    return !level->left || (may_push_to_all(level->left, output) && may_push_to_all(level->right, output));
}

static void bind_output(Level *level, int output, const Value *value, bool own) {
    if (!may_push_to_all(level, output) || (level->left && level->scope->mixed))
        return;
    if (level->left) {
        bind_output(level->left, output, value, own);
        bind_output(level->right, output, value, own);
    } else if (output < level->outputs.n && level->outputs.nodes[output] != SCOPE_NO_NODE) {
        Value *handed = ARENA_NEW(level->scope->rw->arena, Value);
        const Pred pred = {
            .a = level->outputs.nodes[output], .b = SCOPE_NO_NODE, .value = handed, .own = own};

        *handed = *value;
        handed->handed = true;
        scope_add_pred(level->scope, &level->root->preds, pred);
    }
}

static bool is_one(Scope *scope, const ValueList *list) {
    for (int i = 1; i < list->n; i++) {
        const ValueList first = {list->values, 1, 1};

        if (!scope_has_value(scope, &first, list->values[i]))
            return false;
    }
    return true;
}

/* A value that is handed down is no contradiction to one that is there already: Citus then reads both shards.
 */
static bool is_in_doubt(Scope *scope, const ValueList *list) {
    bool handed = false;

    for (int i = 0; i < list->n; i++)
        handed |= list->values[i]->handed;
    return handed && !is_one(scope, list);
}

/* The values of a column: of its class, or, where that has none, its own. Beside an OR on the same column,
 * Citus does not prune by = ANY. */
static const ValueList *values_of(Level *level, int node, bool *own) {
    static const ValueList none;
    const ColumnNode *root = &level->nodes[scope_class(level, node)];

    *own = root->values.n == 0;
    if (*own && !level->nodes[node].in_or && level->nodes[node].own.n > 0)
        return is_one(level->scope, &level->nodes[node].own) ? &level->nodes[node].own : &none;
    if (*own)
        return is_one(level->scope, &root->shared) ? &root->shared : &none;
    return &root->values;
}

/* Beside a local table, below an outer join, a sub-select is run ahead without what is around it. */
static void hand_down(Level *level, const Child *child) {
    if (level->scope->mixed && level->outer_joins)
        return;
    for (int i = 0; child->nodes && i < child->level->outputs.n; i++) {
        const ValueList *values;
        bool own;

        if (child->nodes[i] == SCOPE_NO_NODE || level->nodes[child->nodes[i]].own_is_implied)
            continue;
        values = values_of(level, child->nodes[i], &own);
        for (int k = 0; k < values->n; k++)
            bind_output(child->level, i, values->values[k], own);
    }
}

/* Whether Citus runs a part of the statement ahead, and plans the rest again with what came of it. */
static bool runs_in_parts(const Scope *scope) {
    bool parts = scope->mixed;

    for (int i = 0; i < scope->nctes; i++)
        parts |= scope->ctes[i].level != NULL;
    return parts;
}

static void settle_ref(Level *level, Ref *ref, const unsigned char *rels) {
    const int rel = level->nodes[ref->node].rel;
    const ValueList *values;
    bool own;

    if (rel >= 0 && rels[rel] & SCOPE_REL_BROKEN) {
        ref->refused =
            "a condition of an outer join or a sub-select is never true, which Citus does not plan";
        return;
    }
    ref->none = level->dead || (rel >= 0 && rels[rel] & SCOPE_REL_NEVER);
    if (ref->none && level->block->kind == BLOCK_MERGE)
        ref->refused = "no row can pass the condition, which Citus refuses in MERGE";
    if (ref->none && level->outer_joins && runs_in_parts(level->scope))
        ref->refused = "no row can pass the condition, which Citus refuses beside an outer join";
    values = values_of(level, ref->node, &own);
    if (is_in_doubt(level->scope, values)) {
        ref->reason = "it is compared with another value here than in the query around";
        return;
    }
    for (int i = 0; i < values->n; i++)
        scope_add_value(level->scope, &ref->values, values->values[i]);
}

static bool is_any_never(const Level *level, const unsigned char *rels) {
    for (int rel = 0; rel < level->nrels; rel++) {
        if (rels[rel] & SCOPE_REL_NEVER)
            return true;
    }
    return false;
}

/* Whether conditions on one column contradict each other, or do so for some values of the parameters. Beside
 * local tables what is no equality counts, too. */
static bool may_contradict(Level *level) {
    for (int node = 0; node < level->nnodes && scope_spend(level->scope, 1); node++) {
        const ColumnNode *column = &level->nodes[node];
        const ColumnNode *root = &level->nodes[scope_class(level, node)];
        ValueList all = {0};

        if (level->scope->mixed && (column->loose || column->ignored) && root->values.n > 0)
            return true;
        if (root->values.n + column->own.n < 2)
            continue;
        for (int i = 0; i < root->values.n; i++)
            scope_add_value(level->scope, &all, root->values.values[i]);
        for (int i = 0; i < column->own.n; i++)
            scope_add_value(level->scope, &all, column->own.values[i]);
        if (!is_one(level->scope, &all))
            return true;
    }
    return false;
}

static void note_part(Level *level, const unsigned char *rels) {
    Scope *scope = level->scope;
    bool tenants = false;

    for (int i = 0; i < scope->nrefs && !tenants; i++)
        tenants = scope->refs[i]->level == level;
    scope->nparts += tenants;
    scope->empty |= may_contradict(level) || (scope->mixed && (level->dead || is_any_never(level, rels)));
}

void scope_solve(Level *level) {
    Scope *scope = level->scope;
    unsigned char *rels;

    if (!scope_spend(scope, scope->nrefs / 8 + 1) || !scope_take(scope, (size_t)level->nrels * 5))
        return;
    rels = ARENA_ARRAY(scope->rw->arena, unsigned char, level->nrels);
    scope_find_classes(level, rels);
    for (int i = 0; i < scope->nrefs; i++) {
        Ref *ref = scope->refs[i];

        if (ref->level == level && ref->node != SCOPE_NO_NODE)
            settle_ref(level, ref, rels);
    }
    note_part(level, rels);
    for (int i = 0; i < level->nchildren; i++) {
        /* All that FROM has is this sub-select, and no row of it passes: it is not planned. */
        bool dead = level->children[i].nodes && level->nrels == 1 && rels[0] & SCOPE_REL_NEVER &&
                    !runs_in_parts(scope);

        level->children[i].level->dead |= dead || level->dead;
        hand_down(level, &level->children[i]);
        scope_solve(level->children[i].level);
    }
    if (level->left) {
        level->left->dead |= level->dead;
        level->right->dead |= level->dead;
        scope_solve(level->left);
        scope_solve(level->right);
    }
}

ValueList scope_output_values(Level *level, int output) {
    ValueList common = {0};
    bool own;

    if (level->scope->gave_up)
        return common;
    if (level->left) {
        ValueList left = scope_output_values(level->left, output),
                  right = scope_output_values(level->right, output);

        for (int i = 0; i < left.n; i++) {
            if (scope_has_value(level->scope, &right, left.values[i]))
                scope_add_value(level->scope, &common, left.values[i]);
        }
        return common;
    }
    if (output >= level->outputs.n || level->outputs.nodes[output] == SCOPE_NO_NODE)
        return common;
    return *values_of(level, level->outputs.nodes[output], &own);
}
