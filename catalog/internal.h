/* What the files of catalog/ share and nobody else sees. */
#ifndef CATALOG_INTERNAL_H
#define CATALOG_INTERNAL_H

#include <stdatomic.h>

#include "catalog/snapshot.h"
#include "conf/config.h"

/* A snapshot with what holds it: `snapshot` is the first member, so a pointer to it is one to the holder. */
typedef struct SnapshotHolder {
    Snapshot snapshot;
    atomic_int references;
    Arena *arena;    /* owned: everything that the snapshot points to, this struct included */
    uint32_t *slots; /* open addressing: index of a table + 1, 0 for a free slot */
    uint32_t mask;   /* number of slots - 1 */
} SnapshotHolder;

/* Fills the lookup table; `tables` is sorted and stays where it is. */
void snapshot_index(SnapshotHolder *holder);

/* Splits a search_path ("\"$user\", public") into folded, unquoted names in `arena`. A text that is no list
 * of names gives what could be read of it. */
const char **search_path_split(Arena *arena, const char *search_path, int *count) MUST_USE;

/* Infers kind, reason, tenant column and path of each table of a snapshot whose tables, columns, keys,
 * foreign keys and stages are there and indexed. False with `err`: see snapshot_build. */
MUST_USE bool tenant_infer(Snapshot *snapshot, Arena *arena, const Config *config, Error *err);

/* Finds a table by its name as a section has it: through the search path if it is unqualified. */
Table *tenant_resolve(const Snapshot *snapshot, Arena *arena, const char *schema, const char *name) MUST_USE;

/* Reads a tenant_from setting ("order_id -> orders(order_id)", "(a, b) -> p(x, y)", "a -> p") of `child`.
 * Returns the declared foreign key of the same columns if there is one, else one made up for the purpose.
 * NULL with `err` (message without the place). */
const ForeignKey *tenant_from_resolve(const Snapshot *snapshot, Arena *arena, const Table *child,
                                      const char *text, const char *tenant_column, Error *err) MUST_USE;

/* What the search for paths knows of a table, by its index in the snapshot. */
typedef struct PathNode {
    int root;       /* index of the partitioned table that it is a part of, at any depth; else its own */
    bool terminal;  /* has the tenant column as its own: paths end here */
    bool candidate; /* a path may start in it or lead through it */
    const ForeignKey *forced; /* the only first step allowed */
    int nullable, steps; /* cost of the best path: steps whose columns may be NULL, steps; steps -1: none */
    const ForeignKey *best;   /* its first step */
    const ForeignKey **edges; /* its foreign keys as steps, without the tenant's own columns */
    int nedges;
} PathNode;

/* Finds each candidate's best path: fewest steps that may be NULL, then fewest steps, then the order of the
 * constraints' names. */
void paths_find(const Snapshot *snapshot, PathNode *nodes);
/* Fills the edges of a node: a key that the migration has made, (store_id, order_id), is the step order_id,
 * and one of the tenant alone is none. tenant_column: of all tables but the tenant table, whose key is `key`.
 */
void paths_set_edges(Arena *arena, PathNode *node, const Table *table, const char *tenant_column,
                     const Column *key);
/* Writes path and other_paths of a table that paths_find reached. */
void paths_fill(const Snapshot *snapshot, Arena *arena, const PathNode *nodes, Table *table);

#endif
