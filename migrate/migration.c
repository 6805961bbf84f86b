/* Opening a migration: connect → lock → catalog → tables. */
#include "migrate/migration.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/load.h"
#include "migrate/session.h"
#include "migrate/watch.h"

#define LOCK_NOT_AVAILABLE "55P03"
#define LOAD_PAUSE_MS 200

/* ---- the tables ---- */

static int by_name(const void *a, const void *b) {
    const Table *x = *(const Table *const *)a, *y = *(const Table *const *)b;
    int by_schema = strcmp(x->schema, y->schema);

    return by_schema ? by_schema : strcmp(x->name, y->name);
}

static bool is_among(const Table *table, const Table *const *tables, int n) {
    for (int i = 0; i < n; i++) {
        if (tables[i] == table)
            return true;
    }
    return false;
}

/* Whether nothing that a table refers to, or finds its tenant by, is among the rest. */
static bool is_next(const Table *table, const Table *const *rest, int nrest) {
    for (int i = 0; i < table->nforeign_keys; i++) {
        const Table *parent = table->foreign_keys[i]->parent;

        if (parent != table && is_among(parent, rest, nrest))
            return false;
    }
    for (int i = 0; i < table->path.nsteps; i++) {
        const Table *parent = table->path.steps[i]->parent;

        if (parent != table && is_among(parent, rest, nrest))
            return false;
    }
    return true;
}

/* Where keys go round in a circle, one whose path to the tenant does not lead through the others breaks it.
 */
static int breaks_circle(const Table *const *rest, int nrest) {
    int best = 0;

    for (int i = 1; i < nrest; i++) {
        if (rest[i]->path.nsteps < rest[best]->path.nsteps)
            best = i;
    }
    return best;
}

/* Parents before their children, and by name where that leaves a choice. */
static void sort_tables(Arena *arena, const Table **tables, int n) {
    const Table **rest = ARENA_ARRAY(arena, const Table *, n + 1);
    int nrest = n, nsorted = 0;

    qsort(tables, (size_t)n, sizeof(Table *), by_name);
    memcpy(rest, tables, (size_t)n * sizeof(Table *));
    while (nrest > 0) {
        int pick = 0;

        while (pick < nrest && !is_next(rest[pick], rest, nrest))
            pick++;
        if (pick == nrest)
            pick = breaks_circle(rest, nrest);
        tables[nsorted++] = rest[pick];
        memmove(&rest[pick], &rest[pick + 1], (size_t)(nrest - pick - 1) * sizeof(Table *));
        nrest--;
    }
}

static void select_tables(Migration *migration) {
    const Snapshot *snapshot = migration->snapshot;
    size_t room = (size_t)snapshot->ntables + 1;

    migration->tables = ARENA_ARRAY(migration->arena, const Table *, room);
    migration->all = ARENA_ARRAY(migration->arena, const Table *, room);
    migration->references = ARENA_ARRAY(migration->arena, const Table *, room);
    migration->ntables = migration->nall = migration->nreferences = 0;
    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (table->partition_of)
            continue;
        if (table->kind == KIND_BACKFILL || table->kind == KIND_DISTRIBUTED)
            migration->all[migration->nall++] = table;
        if (table->kind == KIND_BACKFILL)
            migration->tables[migration->ntables++] = table;
        if (table->kind == KIND_REFERENCE)
            migration->references[migration->nreferences++] = table;
    }
    sort_tables(migration->arena, migration->tables, migration->ntables);
    sort_tables(migration->arena, migration->all, migration->nall);
    sort_tables(migration->arena, migration->references, migration->nreferences);
}

/* ---- the catalog ---- */

/* Waits as long for a lock as a step does. */
static Snapshot *read_catalog(const Migration *migration, Error *err) {
    int64_t end = session_clock() + migration->lock_wait;
    Snapshot *snapshot;
    bool said = false;

    while (!(snapshot = catalog_load(migration->conn, migration->config, err)) &&
           strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 && session_clock() < end) {
        if (!said)
            step_say(migration, "waiting to read the catalog: %s", err->detail);
        said = true;
        session_sleep(LOAD_PAUSE_MS);
    }
    return snapshot;
}

/* The old one lives as long as the migration: tasks and texts point into it. */
struct KeptSnapshot {
    Snapshot *snapshot;
    struct KeptSnapshot *next;
};

static void keep_snapshot(Migration *migration, Snapshot *snapshot) {
    struct KeptSnapshot *kept = ARENA_NEW(migration->arena, struct KeptSnapshot);

    *kept = (struct KeptSnapshot){snapshot, migration->kept};
    migration->kept = kept;
    migration->snapshot = snapshot;
}

bool migration_reload(Migration *migration, Error *err) {
    Snapshot *snapshot = read_catalog(migration, err);

    if (!snapshot)
        return false;
    keep_snapshot(migration, snapshot);
    if (!snapshot->tenant_table)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "[tenant] table: there is no table %s",
                         migration->config->tenant_table);
    select_tables(migration);
    return true;
}

bool migration_open(Migration *migration, const Config *config, bool lock, Error *err) {
    migration->config = config;
    migration->arena = arena_new();
    migration->conn = session_open(config, err);
    if (migration->conn && (!lock || session_lock(migration->conn, err)) && migration_reload(migration, err))
        return true;
    migration_close(migration);
    return false;
}

void migration_close(Migration *migration) {
    watch_close(migration->watch);
    for (struct KeptSnapshot *kept = migration->kept; kept; kept = kept->next)
        snapshot_unref(kept->snapshot);
    arena_free(migration->arena);
    PQfinish(migration->conn);
    *migration = (Migration){0};
}
