/* Who may not do what the migration asks of him: roles that write, and the one that migrates. */
#include "migrate/preflight_check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/partial_insert.h"
#include "migrate/sql/privileges.h"
#include "migrate/sql/runner_rights.h"

/* The columns of a step's parent that a derived tenant is read through. */
static void needed_columns(const TenantPath *path, int step, SessionArray *columns) {
    const ForeignKey *fk = path->steps[step];

    for (int i = 0; i < fk->ncolumns; i++)
        session_array_add(columns, fk->parent_columns[i]->name);
    if (step + 1 < path->nsteps) {
        const ForeignKey *next = path->steps[step + 1];

        for (int i = 0; i < next->ncolumns; i++)
            session_array_add(columns, next->child_columns[i]->name);
    }
    if (fk->parent->tenant)
        session_array_add(columns, fk->parent->tenant->name);
}

/* All steps of all paths, one element each. */
typedef struct Steps {
    SessionArray children, parents, columns;
} Steps;

static void add_step(const Migration *migration, Steps *all, const Table *table, int step) {
    SessionArray columns = {0};

    session_array_add(&all->children, arena_printf(migration->arena, "%" PRIu32, table->oid));
    session_array_add(&all->parents,
                      arena_printf(migration->arena, "%" PRIu32, table->path.steps[step]->parent->oid));
    needed_columns(&table->path, step, &columns);
    session_array_add(&all->columns, session_array_text(&columns));
    session_array_free(&columns);
}

static PGresult *read_privileges(const Migration *migration, Error *err) {
    Steps all = {0};
    PGresult *result;

    for (int i = 0; i < migration->ntables; i++) {
        for (int step = 0; step < migration->tables[i]->path.nsteps; step++)
            add_step(migration, &all, migration->tables[i], step);
    }
    result = query_run(migration->conn, "looking at privileges", sql_privileges, 3,
                       (const char *[]){session_array_text(&all.children), session_array_text(&all.parents),
                                        session_array_text(&all.columns)},
                       err);
    session_array_free(&all.children);
    session_array_free(&all.parents);
    session_array_free(&all.columns);
    return result;
}

static const char *name_by_oid(const Preflight *preflight, const char *oid) {
    const Snapshot *snapshot = preflight->migration->snapshot;
    uint32_t wanted = (uint32_t)strtoul(oid, NULL, 10);

    for (int i = 0; i < snapshot->ntables; i++) {
        if (snapshot->tables[i].oid == wanted)
            return preflight_name(preflight, &snapshot->tables[i]);
    }
    return "?";
}

static bool check_readers(Preflight *preflight, Error *err) {
    Arena *arena = preflight->migration->arena;
    PGresult *result = read_privileges(preflight->migration, err);

    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        findings_add(
            preflight->findings,
            (Finding){.severity = FINDING_ERROR,
                      .from = STAGE_DERIVE,
                      .code = "writer-may-not-read-parent",
                      .object = name_by_oid(preflight, PQgetvalue(result, i, 0)),
                      .what = arena_printf(arena, "role \"%s\" may insert into it, but lacks %s of %s",
                                           PQgetvalue(result, i, 2), PQgetvalue(result, i, 3),
                                           name_by_oid(preflight, PQgetvalue(result, i, 1))),
                      .why = "From stage derive on, the role's own INSERT reads the tenant there.",
                      .remedy = arena_strdup(arena, PQgetvalue(result, i, 4))});
    PQclear(result);
    return true;
}

bool preflight_privileges(Preflight *preflight, Error *err) {
    return check_readers(preflight, err) &&
           preflight_query_tables(preflight, "looking at privileges", sql_partial_insert, err) &&
           preflight_query_tables(preflight, "looking at this role's privileges", sql_runner_rights, err);
}
