/* The paths to the tenant: the one that is taken, and on how many rows the others say something else.
 *
 * Data is looked at for a bounded time: small tables as a whole, others by a sample of their blocks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/plan_model.h"
#include "migrate/session.h"

#define SAMPLE_ROWS 100000
#define SMALL_SAMPLE_ROWS 5000
#define LOOK_MS 2000
#define ALL_LOOKS_MS 20000

double plan_sample(const PlanTable *table, int64_t room, Buf *out) {
    int64_t rows = table->rows >= 0 ? table->rows : table->bytes / PLAN_ROW_BYTES;
    double part;

    if (rows <= 2 * room)
        return 1;
    part = (double)room / (double)rows;
    buf_printf(out, " TABLESAMPLE SYSTEM (%.6f)", 100 * part > 0.000001 ? 100 * part : 0.000001);
    return 1 / part;
}

static void append_column(Buf *out, const char *prefix, int step, const char *name) {
    if (step == 0)
        buf_append_cstr(out, "t.");
    else
        buf_printf(out, "%s%d.", prefix, step);
    quote_identifier(out, name);
}

const char *plan_join(Arena *arena, const TenantPath *path, const char *prefix, Buf *out) {
    const Table *last = path->steps[path->nsteps - 1]->parent;
    Buf tenant = {0};
    const char *text;

    for (int i = 0; i < path->nsteps; i++) {
        const ForeignKey *step = path->steps[i];

        buf_printf(out, " LEFT JOIN %s AS %s%d ON ", table_qualified_name(arena, step->parent), prefix,
                   i + 1);
        for (int j = 0; j < step->ncolumns; j++) {
            buf_append_cstr(out, j ? " AND " : "");
            append_column(out, prefix, i + 1, step->parent_columns[j]->name);
            buf_append_cstr(out, " = ");
            append_column(out, prefix, i, step->child_columns[j]->name);
        }
    }
    append_column(&tenant, prefix, path->nsteps, last->tenant->name);
    text = arena_strndup(arena, (const char *)buf_ptr(&tenant), buf_len(&tenant));
    buf_free(&tenant);
    return text;
}

/* ---- listing ---- */

static bool is_nullable(const TenantPath *path) {
    for (int i = 0; i < path->nsteps; i++) {
        for (int j = 0; j < path->steps[i]->ncolumns; j++) {
            if (!path->steps[i]->child_columns[j]->not_null)
                return true;
        }
    }
    return false;
}

static bool is_validated(const TenantPath *path) {
    for (int i = 0; i < path->nsteps; i++) {
        if (!path->steps[i]->validated)
            return false;
    }
    return true;
}

bool plan_path_is_certain(const TenantPath *path) {
    const Table *last = path->steps[path->nsteps - 1]->parent;

    return !is_nullable(path) && is_validated(path) && last->tenant && last->tenant->not_null;
}

static PlanPath describe(const Plan *plan, const TenantPath *path) {
    Buf buf = {0};

    tenant_path_describe(path, &buf);
    return (PlanPath){.text = step_text(&plan->migration, &buf),
                      .steps = path->nsteps,
                      .nullable = is_nullable(path),
                      .disagree = -1};
}

static void list_paths(const Plan *plan, PlanTable *table) {
    const Table *of = table->table;

    table->paths = ARENA_ARRAY(plan->migration.arena, PlanPath, of->nother_paths + 1);
    table->paths[table->npaths++] = describe(plan, &of->path);
    for (int i = 0; i < of->nother_paths; i++)
        table->paths[table->npaths++] = describe(plan, &of->other_paths[i]);
}

/* ---- comparing ---- */

/* Counts the rows, those without a tenant, and those on which each other path disagrees. */
static const char *compare_sql(const Plan *plan, const PlanTable *table, int64_t room, bool *sampled) {
    Arena *arena = plan->migration.arena;
    const Table *of = table->table;
    Buf joins = {0}, sql = {0};
    const char *chosen = plan_join(arena, &of->path, "p", &joins);

    buf_printf(&sql, "SELECT count(*), count(*) FILTER (WHERE %s IS NULL)", chosen);
    for (int i = 0; i < of->nother_paths; i++) {
        const char *prefix = arena_printf(arena, "q%d_", i);

        buf_printf(&sql, ", count(*) FILTER (WHERE %s <> %s)", chosen,
                   plan_join(arena, &of->other_paths[i], prefix, &joins));
    }
    buf_printf(&sql, " FROM %s AS t", table->name);
    *sampled = plan_sample(table, room, &sql) > 1;
    buf_append(&sql, buf_ptr(&joins), buf_len(&joins));
    buf_free(&joins);
    return step_text(&plan->migration, &sql);
}

static bool compare(const Plan *plan, PlanTable *table, int64_t room, Error *err) {
    const char *sql = compare_sql(plan, table, room, &table->sampled);
    PGresult *result = plan_look(&plan->migration, "comparing the paths", sql, LOOK_MS, err);

    if (!result)
        return false;
    table->compared = query_int(result, 0, 0);
    table->tenantless = query_int(result, 0, 1);
    for (int i = 1; i < table->npaths; i++)
        table->paths[i].disagree = query_int(result, 0, i + 1);
    PQclear(result);
    return true;
}

/* A path that cannot be looked at is no reason not to plan: it is said. */
static bool compare_in_time(const Plan *plan, PlanTable *table, int64_t end, Error *err) {
    Error why = {0};

    if (session_clock() >= end) {
        table->not_compared = "other tables took all the time that there is for it";
        return true;
    }
    if (compare(plan, table, SAMPLE_ROWS, &why))
        return true;
    if (strcmp(why.sqlstate, SQLSTATE_QUERY_CANCELED) == 0 && compare(plan, table, SMALL_SAMPLE_ROWS, &why))
        return true;
    if (PQstatus(plan->migration.conn) != CONNECTION_OK) {
        *err = why;
        return false;
    }
    table->not_compared = strcmp(why.sqlstate, SQLSTATE_QUERY_CANCELED) == 0
                              ? "it would take longer than a few seconds"
                              : arena_strdup(plan->migration.arena, why.message);
    return true;
}

bool plan_paths(Plan *plan, Error *err) {
    int64_t end = session_clock() + ALL_LOOKS_MS;

    for (int i = 0; i < plan->ntables; i++) {
        PlanTable *table = &plan->tables[i];
        const Table *of = table->table;

        if (of->kind != KIND_BACKFILL || of->path.nsteps == 0)
            continue;
        list_paths(plan, table);
        /* Where there is one path, and keys prove that all rows have it, there is nothing to find out; nor
         * where new keys prove that all of them agree. */
        if ((table->npaths == 1 && plan_path_is_certain(&of->path)) || of->stage >= STAGE_KEYED)
            continue;
        if (!compare_in_time(plan, table, end, err))
            return false;
    }
    return true;
}
