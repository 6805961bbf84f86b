/* Which columns are equal on every row, and to what.
 *
 * Conditions of WHERE and of inner joins hold on every row: they make classes. The condition of an outer join
 * holds on the rows of its nullable side alone, and says nothing of the other: there, `outer.a = inner.b`
 * hands a value from the outer class to the inner one, never back. An outer join that a condition above it
 * makes an inner one counts as such. */
#include "rewrite/scope_level.h"

#include <string.h>

void *scope_grow(Scope *scope, void *array, int n, int *capacity, size_t size) {
    void *grown;

    if (n < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 8;
    grown = arena_alloc(scope->rw->arena, size * (size_t)*capacity);
    if (n > 0)
        memcpy(grown, array, size * (size_t)n);
    return grown;
}

int scope_new_node(Level *level, int rel) {
    level->scope->gave_up |= ++level->scope->nnodes > SCOPE_MAX_NODES;
    if (level->scope->gave_up)
        return SCOPE_NO_NODE;
    level->nodes =
        scope_grow(level->scope, level->nodes, level->nnodes, &level->node_capacity, sizeof(ColumnNode));
    level->nodes[level->nnodes] = (ColumnNode){.up = level->nnodes, .rel = rel};
    return level->nnodes++;
}

int scope_class(Level *level, int node) {
    while (level->nodes[node].up != node) {
        level->nodes[node].up = level->nodes[level->nodes[node].up].up;
        node = level->nodes[node].up;
    }
    return node;
}

bool scope_has_value(Scope *scope, const ValueList *list, const Value *value) {
    for (int i = 0; i < list->n; i++) {
        /* The answer holds for these literals alone. */
        scope->rw->literals_matter |= list->values[i]->literal && value->literal && list->values[i] != value;
        if (strcmp(list->values[i]->key, value->key) == 0)
            return true;
    }
    return false;
}

void scope_add_value(Scope *scope, ValueList *list, const Value *value) {
    for (int i = 0; i < list->n; i++) {
        if (list->values[i] == value)
            return;
    }
    list->values = scope_grow(scope, list->values, list->n, &list->capacity, sizeof(Value *));
    list->values[list->n++] = value;
}

void scope_bind(Level *level, int node, const Value *value) {
    if (node != SCOPE_NO_NODE)
        scope_add_value(level->scope, &level->nodes[scope_class(level, node)].values, value);
}

void scope_union(Level *level, int a, int b) {
    ValueList values;

    if (a == SCOPE_NO_NODE || b == SCOPE_NO_NODE)
        return;
    a = scope_class(level, a);
    b = scope_class(level, b);
    if (a == b)
        return;
    level->nodes[b].up = a;
    values = level->nodes[b].values;
    for (int i = 0; i < values.n; i++)
        scope_bind(level, a, values.values[i]);
}

/* ---- outer joins that are none ---- */

static void mark_strict(const Level *level, const PredList *list, int *strict, int by) {
    for (int i = 0; i < list->n; i++) {
        const int ends[] = {list->preds[i].a, list->preds[i].b};

        for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
            int rel = ends[k] == SCOPE_NO_NODE ? -1 : level->nodes[ends[k]].rel;

            if (rel >= 0)
                strict[rel] += by;
        }
    }
}

static bool any_strict(const Tree *tree, const int *strict) {
    for (int rel = tree->lo; rel < tree->hi; rel++) {
        if (strict[rel] > 0)
            return true;
    }
    return false;
}

static void demote(Tree *tree, const int *strict) {
    if (tree->kind == TREE_LEFT && any_strict(tree->items[1], strict)) {
        tree->kind = TREE_FROM;
    } else if (tree->kind == TREE_FULL) {
        bool left = any_strict(tree->items[0], strict), right = any_strict(tree->items[1], strict);

        if (left && right) {
            tree->kind = TREE_FROM;
        } else if (left || right) {
            Tree *kept = tree->items[left ? 0 : 1], *nullable = tree->items[left ? 1 : 0];

            tree->kind = TREE_LEFT;
            tree->items[0] = kept;
            tree->items[1] = nullable;
        }
    }
}

/* strict[rel]: how many conditions around `tree` no row passes in which rel is NULL. */
static void reduce(const Level *level, Tree *tree, int *strict) {
    demote(tree, strict);
    for (int i = 0; i < tree->nitems; i++) {
        bool under_preds =
            tree->kind == TREE_FROM || tree->kind == TREE_ANTI || (tree->kind == TREE_LEFT && i == 1);

        if (under_preds)
            mark_strict(level, &tree->preds, strict, 1);
        reduce(level, tree->items[i], strict);
        if (under_preds)
            mark_strict(level, &tree->preds, strict, -1);
    }
}

/* ---- classes ---- */

static bool inside(const Level *level, const Tree *tree, int node) {
    int rel = node == SCOPE_NO_NODE ? -1 : level->nodes[node].rel;

    return rel >= tree->lo && rel < tree->hi;
}

static void imply(Level *level, int outer, int inner) {
    if (outer == SCOPE_NO_NODE || inner == SCOPE_NO_NODE)
        return;
    level->implications = scope_grow(level->scope, level->implications, level->nimplications,
                                     &level->implication_capacity, sizeof(Implication));
    level->implications[level->nimplications++] = (Implication){outer, inner};
}

static void bind(Level *level, const Pred *pred) {
    if (pred->own)
        scope_add_value(level->scope, &level->nodes[pred->a].own, pred->value);
    else
        scope_bind(level, pred->a, pred->value);
}

static void apply_nullable(Level *level, const Tree *nullable, const Pred *pred) {
    bool a = inside(level, nullable, pred->a), b = inside(level, nullable, pred->b);

    if (pred->value && a)
        bind(level, pred);
    else if (a && b)
        scope_union(level, pred->a, pred->b);
    else if (a)
        imply(level, pred->b, pred->a);
    else if (b)
        imply(level, pred->a, pred->b);
}

static void apply(Level *level, const Tree *tree) {
    for (int i = 0; i < tree->preds.n; i++) {
        const Pred *pred = &tree->preds.preds[i];

        if (tree->kind == TREE_LEFT || tree->kind == TREE_ANTI)
            apply_nullable(level, tree->items[tree->kind == TREE_LEFT], pred);
        else if (tree->kind == TREE_FROM && pred->value)
            bind(level, pred);
        else if (tree->kind == TREE_FROM)
            scope_union(level, pred->a, pred->b);
    }
    for (int i = 0; i < tree->nitems; i++)
        apply(level, tree->items[i]);
}

static bool hand_over(Level *level, const Implication *implication) {
    int outer = scope_class(level, implication->outer), inner = scope_class(level, implication->inner);
    int before = level->nodes[inner].values.n;

    for (int i = 0; i < level->nodes[outer].values.n; i++)
        scope_bind(level, inner, level->nodes[outer].values.values[i]);
    return level->nodes[inner].values.n > before;
}

static void find_classes(Level *level) {
    int *strict = ARENA_ARRAY(level->scope->rw->arena, int, level->nrels);
    bool changed = true;

    reduce(level, level->root, strict);
    apply(level, level->root);
    while (changed) {
        changed = false;
        for (int i = 0; i < level->nimplications; i++)
            changed |= hand_over(level, &level->implications[i]);
    }
}

/* Into a set operation a condition is pushed whole or not at all. */
static bool may_push_to_all(Level *level, int output) {
    if (!scope_may_push(level, output))
        return false;
    return !level->left || (may_push_to_all(level->left, output) && may_push_to_all(level->right, output));
}

static void bind_output(Level *level, int output, const Value *value) {
    if (!may_push_to_all(level, output))
        return;
    if (level->left) {
        bind_output(level->left, output, value);
        bind_output(level->right, output, value);
    } else if (output < level->outputs.n && level->outputs.nodes[output] != SCOPE_NO_NODE) {
        PredList *preds = &level->root->preds;

        scope_add_pred(level->scope, preds,
                       (Pred){.a = level->outputs.nodes[output], .b = SCOPE_NO_NODE, .value = value});
    }
}

static void hand_down(Level *level, const Child *child) {
    for (int i = 0; child->nodes && i < child->level->outputs.n; i++) {
        const ValueList *values;

        if (child->nodes[i] == SCOPE_NO_NODE)
            continue;
        values = &level->nodes[scope_class(level, child->nodes[i])].values;
        for (int k = 0; k < values->n; k++)
            bind_output(child->level, i, values->values[k]);
    }
}

static void add_values(Scope *scope, ValueList *list, Level *level, int node) {
    const ValueList *sources[] = {&level->nodes[scope_class(level, node)].values, &level->nodes[node].own};

    /* Beside an OR on the same column, Citus does not prune by = ANY. */
    for (size_t i = 0; i < (level->nodes[node].loose ? 1 : ARRAY_LEN(sources)); i++) {
        for (int k = 0; k < sources[i]->n; k++)
            scope_add_value(scope, list, sources[i]->values[k]);
    }
}

void scope_solve(Level *level) {
    Scope *scope = level->scope;

    if (scope->gave_up)
        return;
    find_classes(level);
    for (int i = 0; i < scope->nrefs; i++) {
        Ref *ref = scope->refs[i];

        if (ref->level == level && ref->node != SCOPE_NO_NODE)
            add_values(scope, &ref->values, level, ref->node);
    }
    for (int i = 0; i < level->nchildren; i++) {
        hand_down(level, &level->children[i]);
        scope_solve(level->children[i].level);
    }
    if (level->left) {
        scope_solve(level->left);
        scope_solve(level->right);
    }
}

ValueList scope_output_values(Level *level, int output) {
    ValueList common = {0};

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
    return level->nodes[scope_class(level, level->outputs.nodes[output])].values;
}
