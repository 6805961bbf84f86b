/* The foreign-key paths from tables to their tenant.
 *
 * A path's cost is a pair: how many of its steps may be NULL (a row that leaves such a step empty has no
 * tenant), then how many steps it has. Costs only grow along a path, so relaxing every edge until nothing
 * improves finds each table's cheapest, cycles or not; and as each best step leads to a table that is exactly
 * one step nearer, following them ends. */
#include <string.h>

#include "catalog/internal.h"

static const PathNode *parent_node(const Snapshot *snapshot, const PathNode *nodes, const ForeignKey *fk) {
    return &nodes[nodes[fk->parent - snapshot->tables].root];
}

static bool may_be_null(const ForeignKey *fk) {
    for (int i = 0; i < fk->ncolumns; i++) {
        if (!fk->child_columns[i]->not_null)
            return true;
    }
    return false;
}

/* Whether a pair of columns says no more than that both rows have the same tenant. */
static bool is_tenant_pair(const ForeignKey *fk, int i, const char *tenant_column, const Column *key) {
    const Column *parent = fk->parent_columns[i];

    return strcmp(fk->child_columns[i]->name, tenant_column) == 0 &&
           (parent == key || strcmp(parent->name, tenant_column) == 0);
}

static const ForeignKey *as_step(Arena *arena, const ForeignKey *fk, const char *tenant_column,
                                 const Column *key) {
    ForeignKey *step = ARENA_NEW(arena, ForeignKey);
    int npairs = 0;

    *step = *fk;
    step->ncolumns = 0;
    step->child_columns = ARENA_ARRAY(arena, const Column *, fk->ncolumns);
    step->parent_columns = ARENA_ARRAY(arena, const Column *, fk->ncolumns);
    for (int i = 0; i < fk->ncolumns; i++) {
        if (is_tenant_pair(fk, i, tenant_column, key)) {
            npairs++;
            continue;
        }
        step->child_columns[step->ncolumns] = fk->child_columns[i];
        step->parent_columns[step->ncolumns++] = fk->parent_columns[i];
    }
    return npairs == 0 ? fk : step;
}

void paths_set_edges(Arena *arena, PathNode *node, const Table *table, const char *tenant_column,
                     const Column *key) {
    node->edges = ARENA_ARRAY(arena, const ForeignKey *, table->nforeign_keys);
    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *step = as_step(arena, table->foreign_keys[i], tenant_column, key);

        if (step->ncolumns > 0)
            node->edges[node->nedges++] = step;
    }
}

/* The edges out of a table, by index; NULL behind the last. */
static const ForeignKey *edge(const PathNode *node, int i) {
    if (node->forced)
        return i == 0 ? node->forced : NULL;
    return i < node->nedges ? node->edges[i] : NULL;
}

/* The cost of going by `fk`; false if it leads nowhere. */
static bool cost_by(const Snapshot *snapshot, const PathNode *nodes, const PathNode *node,
                    const ForeignKey *fk, int *nullable, int *steps) {
    const PathNode *parent = parent_node(snapshot, nodes, fk);

    if (parent == node || parent->steps < 0)
        return false;
    *nullable = parent->nullable + may_be_null(fk);
    *steps = parent->steps + 1;
    return true;
}

/* Improves a node's cost by its edges; returns whether it did. */
static bool relax(const Snapshot *snapshot, const PathNode *nodes, PathNode *node) {
    const ForeignKey *fk;
    bool improved = false;

    for (int i = 0; (fk = edge(node, i)); i++) {
        int nullable, steps;

        if (!cost_by(snapshot, nodes, node, fk, &nullable, &steps))
            continue;
        if (node->steps < 0 || nullable < node->nullable ||
            (nullable == node->nullable && steps < node->steps)) {
            node->nullable = nullable;
            node->steps = steps;
            node->best = fk;
            improved = true;
        }
    }
    return improved;
}

void paths_find(const Snapshot *snapshot, PathNode *nodes) {
    bool improved = true;

    for (int i = 0; i < snapshot->ntables; i++)
        nodes[i].steps = nodes[i].terminal ? 0 : -1;
    while (improved) {
        improved = false;
        for (int i = 0; i < snapshot->ntables; i++) {
            if (nodes[i].candidate && relax(snapshot, nodes, &nodes[i]))
                improved = true;
        }
    }
    /* Of equal steps the first by name, whatever the order in which the costs were found. */
    for (int i = 0; i < snapshot->ntables; i++) {
        const ForeignKey *fk;

        for (int j = 0; nodes[i].candidate && nodes[i].steps > 0 && (fk = edge(&nodes[i], j)); j++) {
            int nullable, steps;

            if (cost_by(snapshot, nodes, &nodes[i], fk, &nullable, &steps) && nullable == nodes[i].nullable &&
                steps == nodes[i].steps) {
                nodes[i].best = fk;
                break;
            }
        }
    }
}

/* The path that starts with `first` and goes on by best steps. No steps if it comes back to where it started.
 */
static TenantPath path_by(const Snapshot *snapshot, Arena *arena, const PathNode *nodes,
                          const PathNode *start, const ForeignKey *first) {
    int nsteps = parent_node(snapshot, nodes, first)->steps + 1;
    TenantPath path = {ARENA_ARRAY(arena, const ForeignKey *, nsteps), nsteps};
    const ForeignKey *fk = first;

    for (int i = 0; i < nsteps; i++) {
        path.steps[i] = fk;
        if (parent_node(snapshot, nodes, fk) == start)
            return (TenantPath){0};
        fk = parent_node(snapshot, nodes, fk)->best;
    }
    return path;
}

static bool same_step(const ForeignKey *a, const ForeignKey *b) {
    if (a->parent != b->parent || a->ncolumns != b->ncolumns)
        return false;
    for (int i = 0; i < a->ncolumns; i++) {
        if (a->child_columns[i] != b->child_columns[i] || a->parent_columns[i] != b->parent_columns[i])
            return false;
    }
    return true;
}

void paths_fill(const Snapshot *snapshot, Arena *arena, const PathNode *nodes, Table *table) {
    const PathNode *node = &nodes[table - snapshot->tables];
    TenantPath *others = ARENA_ARRAY(arena, TenantPath, node->nedges);

    table->path = path_by(snapshot, arena, nodes, node, node->best);
    table->other_paths = others;
    for (int i = 0; i < node->nedges; i++) {
        const ForeignKey *fk = node->edges[i];
        int nullable, steps;

        if (same_step(fk, node->best) || !cost_by(snapshot, nodes, node, fk, &nullable, &steps))
            continue;
        others[table->nother_paths] = path_by(snapshot, arena, nodes, node, fk);
        table->nother_paths += others[table->nother_paths].nsteps > 0;
    }
}
