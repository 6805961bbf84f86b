/* Which columns are equal on every row, and to what.
 *
 * Conditions of WHERE and of inner joins hold on every row: they make classes. The condition of an outer join
 * holds on the rows of its nullable side alone, and says nothing of the other: there, `outer.a = inner.b`
 * hands a value from the outer class to the inner one, never back. An outer join that a condition above it
 * makes an inner one counts as such. */
#include "rewrite/scope_level.h"

#include <string.h>

bool scope_spend(Scope *scope, int64_t work) {
    scope->work += work;
    scope->gave_up |= scope->work > SCOPE_MAX_WORK;
    return !scope->gave_up;
}

bool scope_take(Scope *scope, size_t bytes) {
    scope->memory += (int64_t)bytes;
    scope->gave_up |= scope->memory > SCOPE_MAX_MEMORY;
    return !scope->gave_up;
}

void *scope_grow(Scope *scope, void *array, int n, int *capacity, size_t size) {
    void *grown;

    if (n < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 8;
    (void)scope_take(scope, size * (size_t)*capacity);
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
    for (int i = 0; i < list->n && scope_spend(scope, 1); i++) {
        /* The answer holds for these literals alone. */
        scope->rw->literals_matter |= list->values[i]->literal && value->literal && list->values[i] != value;
        if (strcmp(list->values[i]->key, value->key) == 0)
            return true;
    }
    return false;
}

void scope_add_value(Scope *scope, ValueList *list, const Value *value) {
    if (!scope_spend(scope, list->n + 1))
        return;
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

static void demote(const Level *level, Tree *tree, const int *strict) {
    if (!scope_spend(level->scope, tree->hi - tree->lo))
        return;
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
    demote(level, tree, strict);
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

void scope_imply(Level *level, int outer, int inner, int lo, int hi) {
    if (outer == SCOPE_NO_NODE || inner == SCOPE_NO_NODE)
        return;
    level->implications = scope_grow(level->scope, level->implications, level->nimplications,
                                     &level->implication_capacity, sizeof(Handover));
    level->implications[level->nimplications++] = (Handover){outer, inner, lo, hi};
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
    else if (pred->value)
        level->nodes[pred->a].ignored = true;
    else if (a && b)
        scope_union(level, pred->a, pred->b);
    else if (a)
        scope_imply(level, pred->b, pred->a, nullable->lo, nullable->hi);
    else if (b)
        scope_imply(level, pred->a, pred->b, nullable->lo, nullable->hi);
}

/* `nullable`: the innermost one around it; NULL without. What stands in it may refer to rows around it:
 * LATERAL. */
static void apply(Level *level, const Tree *tree, const Tree *nullable) {
    for (int i = 0; i < tree->preds.n; i++) {
        const Pred *pred = &tree->preds.preds[i];

        if (nullable && tree->kind == TREE_FROM && !pred->value &&
            (!inside(level, nullable, pred->a) || !inside(level, nullable, pred->b)))
            apply_nullable(level, nullable, pred);
        else if (tree->kind == TREE_LEFT || tree->kind == TREE_ANTI)
            apply_nullable(level, tree->items[tree->kind == TREE_LEFT], pred);
        else if (tree->kind == TREE_FROM && pred->value)
            bind(level, pred);
        else if (tree->kind == TREE_FROM)
            scope_union(level, pred->a, pred->b);
    }
    for (int i = 0; i < tree->nitems; i++) {
        bool below =
            tree->kind == TREE_FULL || tree->kind == TREE_ANTI || (tree->kind == TREE_LEFT && i == 1);

        apply(level, tree->items[i], below ? tree->items[i] : nullable);
    }
}

/* ---- what cannot be ---- */

static void mark_rels(unsigned char *rels, int lo, int hi, unsigned char state) {
    for (int rel = lo; rel < hi; rel++)
        rels[rel] |= state;
}

/* Where a condition never holds, no row of the inner join counts; outside outer joins, none of the level.
 * Citus does not plan an outer join whose own condition is one. */
static void mark_never(const Level *level, const Tree *tree, bool nullable, unsigned char *rels) {
    if (tree->never && tree->kind == TREE_FROM)
        mark_rels(rels, nullable ? tree->lo : 0, nullable ? tree->hi : level->nrels, SCOPE_REL_NEVER);
    else if (tree->never && tree->kind == TREE_LEFT)
        mark_rels(rels, tree->items[1]->lo, tree->items[1]->hi, SCOPE_REL_BROKEN);
    else if (tree->never || tree->broken)
        mark_rels(rels, tree->lo, tree->hi, SCOPE_REL_BROKEN);
    for (int i = 0; i < tree->nitems; i++) {
        bool below =
            tree->kind == TREE_FULL || tree->kind == TREE_ANTI || (tree->kind == TREE_LEFT && i == 1);

        mark_never(level, tree->items[i], nullable || below, rels);
    }
}

/* A class that is to have two values has none. */
static void mark_contradictions(Level *level, unsigned char *rels) {
    for (int node = 0; node < level->nnodes; node++) {
        const ValueList *values = &level->nodes[scope_class(level, node)].values;
        const Value *first = NULL;

        if (!scope_spend(level->scope, values->n))
            return;
        for (int i = 0; i < values->n && values->n > 1 && level->nodes[node].rel >= 0; i++) {
            if (!scope_is_integer(values->values[i]) || values->values[i]->handed)
                continue;
            level->scope->rw->literals_matter |= first != NULL;
            if (first && strcmp(first->key, values->values[i]->key) != 0)
                rels[level->nodes[node].rel] |= SCOPE_REL_NEVER;
            first = values->values[i];
        }
    }
}

/* Of each class, by its root: between which relations its columns are. */
typedef struct Extent {
    int lo, hi;
} Extent;

static Extent *class_extents(Level *level) {
    Extent *extents = ARENA_ARRAY(level->scope->rw->arena, Extent, level->nnodes);

    for (int node = 0; node < level->nnodes; node++)
        extents[node] = (Extent){level->nrels, 0};
    for (int node = 0; node < level->nnodes; node++) {
        Extent *extent = &extents[scope_class(level, node)];
        int rel = level->nodes[node].rel;

        extent->lo = rel < extent->lo ? rel : extent->lo;
        extent->hi = rel >= extent->hi ? rel + 1 : extent->hi;
    }
    return extents;
}

/* What an outer join hands to its nullable side is known there alone: in a class that reaches further, of the
 * one column. */
static bool hand_over(Level *level, const Handover *implication, const Extent *extents) {
    int outer = scope_class(level, implication->outer), inner = scope_class(level, implication->inner);
    const ValueList *values = &level->nodes[outer].values;
    bool confined = extents[inner].lo >= implication->lo && extents[inner].hi <= implication->hi;
    int before = level->nodes[inner].values.n;

    for (int i = 0; i < values->n; i++) {
        if (confined)
            scope_bind(level, inner, values->values[i]);
        else
            scope_add_value(level->scope, &level->nodes[implication->inner].own, values->values[i]);
    }
    return level->nodes[inner].values.n > before;
}

static void hand_over_all(Level *level) {
    const Extent *extents = level->nimplications > 0 ? class_extents(level) : NULL;
    bool changed = true;

    while (changed && scope_spend(level->scope, level->nimplications)) {
        changed = false;
        for (int i = 0; i < level->nimplications; i++)
            changed |= hand_over(level, &level->implications[i], extents);
    }
}

/* ---- what prunes more than the column itself ---- */

/* Of a query that is planned join by join, all that are joined. */
static void share_own(Level *level) {
    for (int node = 0; node < level->nnodes; node++) {
        ColumnNode *column = &level->nodes[node];
        ColumnNode *root = &level->nodes[scope_class(level, node)];

        for (int i = 0; i < column->own.n && !column->in_or && root->values.n == 0; i++)
            scope_add_value(level->scope, &root->shared, column->own.values[i]);
    }
}

/* Else what stands on the nullable side of an outer join: unless some other condition makes it an inner one.
 */
static void imply_own(Level *level) {
    unsigned char *constrained = ARENA_ARRAY(level->scope->rw->arena, unsigned char, level->nrels);

    for (int node = 0; node < level->nnodes; node++) {
        if (level->nodes[node].loose && level->nodes[node].rel >= 0)
            constrained[level->nodes[node].rel] = true;
    }
    for (int i = 0; i < level->nimplications; i++) {
        const Handover *implication = &level->implications[i];
        const ColumnNode *outer = &level->nodes[implication->outer];
        int rel = level->nodes[implication->inner].rel;

        for (int k = 0; k < outer->own.n && !outer->in_or && rel >= 0 && !constrained[rel]; k++) {
            level->nodes[implication->inner].own_is_implied |= level->nodes[implication->inner].own.n == 0;
            scope_add_value(level->scope, &level->nodes[implication->inner].own, outer->own.values[k]);
        }
    }
}

static bool is_read_only(const Block *block) {
    while (block && block->kind <= BLOCK_VALUES)
        block = block->parent;
    return !block;
}

static bool has_own(const Level *level) {
    for (int node = 0; node < level->nnodes; node++) {
        if (level->nodes[node].own.n > 0)
            return true;
    }
    return false;
}

void scope_find_classes(Level *level, unsigned char *rels) {
    int *strict = ARENA_ARRAY(level->scope->rw->arena, int, level->nrels);

    reduce(level, level->root, strict);
    apply(level, level->root, NULL);
    hand_over_all(level);
    if (has_own(level)) {
        if (level->plain)
            share_own(level);
        if (is_read_only(level->block) && !level->scope->mixed)
            imply_own(level);
    }
    mark_never(level, level->root, false, rels);
    mark_contradictions(level, rels);
}
