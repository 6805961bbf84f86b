/* Each check looks at everything and appends what it finds, so that one run shows all there is to mend. */
#include "migrate/preflight.h"

#include <inttypes.h>
#include <stdarg.h>

#include "catalog/query.h"
#include "migrate/column.h"
#include "migrate/session.h"
#include "migrate/sql/partial_insert.h"
#include "migrate/sql/preflight_keys.h"
#include "migrate/sql/privileges.h"
#include "migrate/sql/runner_rights.h"

static const char *name_of(const Findings *findings, const Table *table) {
    return table_qualified_name(findings->migration->arena, table);
}

static const char *oid_text(const Findings *findings, const Table *table) {
    return arena_printf(findings->migration->arena, "%" PRIu32, table->oid);
}

/* "object: what", and what to do. */
static void add(Findings *findings, const char *advice, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void add(Findings *findings, const char *advice, const char *fmt, ...) {
    char text[1024], *colon;
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    colon = strstr(text, ": ");
    findings_add(findings,
                 (Finding){.severity = FINDING_ERROR,
                           .code = "finding",
                           .object = arena_strndup(findings->migration->arena, text, (size_t)(colon - text)),
                           .what = arena_strdup(findings->migration->arena, colon + 2),
                           .remedy = arena_strdup(findings->migration->arena, advice)});
}

/* ---- kinds and paths ---- */

static bool check_tables(Findings *findings, Error *err) {
    const Snapshot *snapshot = findings->migration->snapshot;

    (void)err;
    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (table->problem && !table->partition_of)
            add(findings, "Mend the table, or give it another kind in a [table] section.", "%s: %s",
                name_of(findings, table), table->problem);
    }
    return true;
}

/* ---- the tenant column's type ---- */

static bool check_type(Findings *findings, const Table *table, Error *err) {
    ColumnState state;

    if (!column_read(findings->migration, table, &state, err))
        return false;
    if (!state.type && state.costly)
        add(findings, "Let the key's type be the domain's base type.",
            "%s: its tenant column would be of domain %s, whose constraints or default would write the table "
            "anew",
            name_of(findings, table), state.wanted);
    else if (state.type && !state.same && !table->problem)
        add(findings, "Both need the same type, modifier and collation: Citus refuses keys that differ.",
            "%s: column %s is %s, but the tenant's key is %s%s%s", name_of(findings, table),
            table->tenant_column, state.type, state.wanted, state.collation ? " COLLATE " : "",
            state.collation ? state.collation : "");
    return true;
}

static bool check_types(Findings *findings, Error *err) {
    const Snapshot *snapshot = findings->migration->snapshot;

    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];
        bool by_tenant = table->kind == KIND_BACKFILL || (table->kind == KIND_DISTRIBUTED && table->tenant);

        if (by_tenant && !table->partition_of && table != snapshot->tenant_table &&
            !check_type(findings, table, err))
            return false;
    }
    return true;
}

/* ---- privileges ---- */

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

static bool check_step_privileges(Findings *findings, const Table *table, int step, Error *err) {
    const Table *parent = table->path.steps[step]->parent;
    SessionArray columns = {0};
    PGresult *result;

    needed_columns(&table->path, step, &columns);
    result = query_run(
        findings->migration->conn, "looking at privileges", sql_privileges, 3,
        (const char *[]){oid_text(findings, table), oid_text(findings, parent), session_array_text(&columns)},
        err);
    session_array_free(&columns);
    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        add(findings, "Grant it: from stage derive on, the role's own INSERT reads the tenant there.",
            "%s: role \"%s\" may insert into it, but lacks %s of %s", name_of(findings, table),
            PQgetvalue(result, i, 0), PQgetvalue(result, i, 1), name_of(findings, parent));
    PQclear(result);
    return true;
}

static bool check_partial_inserts(Findings *findings, const Table *table, Error *err) {
    PGresult *result = query_run(findings->migration->conn, "looking at privileges", sql_partial_insert, 2,
                                 (const char *[]){oid_text(findings, table), table->tenant_column}, err);

    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        add(findings,
            "Grant INSERT on the table: from stage derive on, the role's INSERT fills the tenant column.",
            "%s: role \"%s\" may insert into some of its columns only", name_of(findings, table),
            PQgetvalue(result, i, 0));
    PQclear(result);
    return true;
}

static bool check_privileges(Findings *findings, Error *err) {
    const Migration *migration = findings->migration;

    for (int i = 0; i < migration->ntables; i++) {
        const Table *table = migration->tables[i];

        for (int step = 0; step < table->path.nsteps; step++) {
            if (!check_step_privileges(findings, table, step, err))
                return false;
        }
        if (!check_partial_inserts(findings, table, err))
            return false;
    }
    return true;
}

/* ---- the runner itself ---- */

static bool check_runner(Findings *findings, Error *err) {
    const Migration *migration = findings->migration;
    SessionArray oids = {0};
    const char *param;
    PGresult *result;

    for (int i = 0; i < migration->ntables; i++)
        session_array_add(&oids, oid_text(findings, migration->tables[i]));
    param = session_array_text(&oids);
    result =
        query_run(migration->conn, "looking at this role's privileges", sql_runner_rights, 1, &param, err);
    session_array_free(&oids);
    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        add(findings, PQgetvalue(result, i, 2), "%s: %s", PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
    PQclear(result);
    return true;
}

/* ---- keys ---- */

static bool check_keys(Findings *findings, Error *err) {
    const Migration *migration = findings->migration;
    SessionArray oids = {0}, columns = {0}, backfilled = {0};
    PGresult *result;

    if (migration->to < STAGE_KEYED)
        return true;
    for (int i = 0; i < migration->nall; i++) {
        session_array_add(&oids, oid_text(findings, migration->all[i]));
        session_array_add(&columns, migration->all[i]->tenant_column);
    }
    for (int i = 0; i < migration->ntables; i++)
        session_array_add(&backfilled, oid_text(findings, migration->tables[i]));
    result = query_run(migration->conn, "looking at keys", sql_preflight_keys, 3,
                       (const char *[]){session_array_text(&oids), session_array_text(&columns),
                                        session_array_text(&backfilled)},
                       err);
    session_array_free(&oids);
    session_array_free(&columns);
    session_array_free(&backfilled);
    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        add(findings, PQgetvalue(result, i, 2), "%s: %s", PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
    PQclear(result);
    return true;
}

bool preflight_run(Findings *findings, Error *err) {
    static bool (*const checks[])(Findings *, Error *) = {check_tables, check_types, check_privileges,
                                                          check_runner, check_keys};

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (!checks[i](findings, err))
            return false;
    }
    findings_sort(findings);
    return true;
}
