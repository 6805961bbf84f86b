/* Reference tables: a copy on every node, so that distributed tables can refer to them and join them. Writers
 * wait while it is made.
 *
 * Citus would take every local table that is related to one by foreign keys along, those too that are to be
 * distributed. It is told not to: those that stay local are handed to it here, the others in their turn. */
#include "migrate/step.h"

#include "migrate/citus.h"
#include "migrate/distribute.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "make %s a reference table", table_qualified_name(migration->arena, table));
}

static void add_once(const Table **tables, int *n, const Table *table) {
    for (int i = 0; i < *n; i++) {
        if (tables[i] == table)
            return;
    }
    tables[(*n)++] = table;
}

/* The local tables that refer to the reference table, and those that are related to them. */
static int find_locals(const Table *reference, const Table **locals) {
    int n = 0;

    for (int i = 0; i < reference->nreferenced_by; i++) {
        if (reference->referenced_by[i]->child->kind == KIND_LOCAL)
            add_once(locals, &n, reference->referenced_by[i]->child);
    }
    for (int i = 0; i < n; i++) {
        const Table *local = locals[i];

        for (int k = 0; k < local->nforeign_keys; k++) {
            if (local->foreign_keys[k]->parent->kind == KIND_LOCAL)
                add_once(locals, &n, local->foreign_keys[k]->parent);
        }
        for (int k = 0; k < local->nreferenced_by; k++) {
            if (local->referenced_by[k]->child->kind == KIND_LOCAL)
                add_once(locals, &n, local->referenced_by[k]->child);
        }
    }
    return n;
}

/* Each call takes all tables along that are related to its own; those behind it find them taken. */
static Handover handover_of(const Migration *migration, const Table *table) {
    size_t room = (size_t)migration->snapshot->ntables + 1;
    const Table **tables = ARENA_ARRAY(migration->arena, const Table *, room + 1);
    const char **calls = ARENA_ARRAY(migration->arena, const char *, room + 1);
    int nlocals = find_locals(table, tables + 1);

    tables[0] = table;
    calls[0] = distribute_reference_call(migration, table);
    for (int i = 1; i <= nlocals; i++)
        calls[i] = distribute_add_local_call(migration, tables[i]);
    return (Handover){.tables = tables,
                      .ntables = nlocals + 1,
                      .calls = calls,
                      .ncalls = nlocals + 1,
                      .lock = nlocals > 0 ? "ACCESS EXCLUSIVE" : "EXCLUSIVE"};
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    Handover handover = handover_of(migration, table);

    distribute_script(migration, &handover, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    distribute_undo_script(migration, table, out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    CitusTable found;

    if (!citus_table(migration, table, &found, err))
        return false;
    *done = found.kind == CITUS_REFERENCE;
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    Handover handover = handover_of(migration, table);

    handover.ncounted = 1;
    return distribute_run(migration, "making a reference table", &handover, err);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return distribute_take_back(migration, table, err);
}

const Step step_reference = {.name = "reference",
                             .scope = STEP_EACH_REFERENCE,
                             .changes_catalog = true,
                             .needs_citus = true,
                             .why = "Distributed tables refer to it and join it on their own nodes.",
                             .lock = "EXCLUSIVE, while it is copied; writers wait",
                             .us_per_row = 4,
                             .describe = describe,
                             .script = script,
                             .undo = undo,
                             .check = check,
                             .run = run,
                             .revert = revert};
