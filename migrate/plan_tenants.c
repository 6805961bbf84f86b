/* The largest tenants, and how unevenly they would fill the shards.
 *
 * Rows are counted by tenant over all tenant tables, in one query of bounded time: small tables as a whole,
 * others by a sample of their blocks. A table that lacks the column is counted by its path. Each tenant is
 * then put into the shard that Citus would put it into, by the same hash function. */
#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/plan_model.h"
#include "migrate/sql/plan_hash.h"

#define SAMPLE_ROWS 100000
#define SMALL_SAMPLE_ROWS 5000
#define LOOK_MS 10000
#define LARGEST 10

/* Has the table rows that can be counted by tenant? */
static bool is_counted(const PlanTable *table) {
    const Table *of = table->table;

    if (!table->distributable || of->problem || of->relkind == 'f')
        return false;
    return of->tenant || (of->kind == KIND_BACKFILL && of->path.nsteps > 0);
}

/* While the column is being filled, the path is what says whose a row is. */
static bool is_by_path(const Table *table) {
    return table->kind == KIND_BACKFILL && table->stage < STAGE_KEYED;
}

static bool append_table(const Plan *plan, const PlanTable *table, int64_t room, Buf *out) {
    const Table *of = table->table;
    Buf from = {0}, column = {0};
    const char *tenant;
    double times;

    buf_printf(&from, " FROM %s AS t", table->name);
    times = plan_sample(table, room, &from);
    if (is_by_path(of)) {
        tenant = plan_join(plan->migration.arena, &of->path, "p", &from);
    } else {
        buf_append_cstr(&column, "t.");
        quote_identifier(&column, of->tenant->name);
        tenant = step_text(&plan->migration, &column);
    }
    buf_printf(out, "SELECT %s AS tenant, count(*) * %.6f::float8 AS rows", tenant, times);
    buf_append(out, buf_ptr(&from), buf_len(&from));
    buf_append_cstr(out, " GROUP BY 1");
    buf_free(&from);
    return times > 1;
}

/* Rows: what (tenant, tenants, shard), which, rows. `hash` may be NULL. */
static const char *count_sql(const Plan *plan, const char *hash, int64_t room, bool *sampled) {
    Buf sql = {0};
    int n = 0;

    *sampled = false;
    buf_append_cstr(&sql, "WITH counted AS MATERIALIZED (SELECT tenant, sum(rows) AS rows FROM (");
    for (int i = 0; i < plan->ntables; i++) {
        if (!is_counted(&plan->tables[i]))
            continue;
        buf_append_cstr(&sql, n++ ? "\nUNION ALL " : "\n");
        *sampled |= append_table(plan, &plan->tables[i], room, &sql);
    }
    buf_printf(
        &sql,
        ") AS part WHERE tenant IS NOT NULL GROUP BY tenant)\n"
        "(SELECT 'tenant', tenant::text, rows::int8 FROM counted ORDER BY rows DESC, tenant::text LIMIT %d)\n"
        "UNION ALL SELECT 'tenants', count(*)::text, coalesce(sum(rows), 0)::int8 FROM counted\n"
        "UNION ALL SELECT 'median', '', coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY rows), 0)::int8"
        " FROM counted",
        LARGEST);
    if (hash)
        buf_printf(&sql,
                   "\nUNION ALL SELECT 'shard', least((%s::int8 + 2147483648) / %" PRId64
                   ", %d)::text, sum(rows)::int8 FROM counted GROUP BY 2",
                   hash, (INT64_C(1) << 32) / plan->shard_count, plan->shard_count - 1);
    return n > 0 ? step_text(&plan->migration, &sql) : (buf_free(&sql), NULL);
}

/* The hash of "tenant" as SQL; *hash is NULL where it is not known. */
static bool find_hash(const Plan *plan, const char **hash, Error *err) {
    const Table *tenant = plan->migration.snapshot->tenant_table;
    const char *params[] = {arena_printf(plan->migration.arena, "%" PRIu32, tenant->oid),
                            tenant->tenant_column};
    PGresult *result = query_run(plan->migration.conn, "looking for the tenant's hash function",
                                 sql_plan_hash, 2, params, err);

    if (!result)
        return false;
    *hash = PQntuples(result) == 1 ? arena_printf(plan->migration.arena, "%s(tenant::%s)",
                                                  PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1))
                                   : NULL;
    PQclear(result);
    return true;
}

static void take_row(Plan *plan, const PGresult *result, int row, int *shards) {
    PlanTenants *tenants = &plan->tenants;
    const char *what = PQgetvalue(result, row, 0);
    int64_t rows = query_int(result, row, 2);

    if (strcmp(what, "tenant") == 0) {
        tenants->largest[tenants->nlargest++] =
            (PlanTenant){arena_strdup(plan->migration.arena, PQgetvalue(result, row, 1)), rows};
    } else if (strcmp(what, "tenants") == 0) {
        tenants->tenants = query_int(result, row, 1);
        tenants->rows = rows;
    } else if (strcmp(what, "median") == 0) {
        tenants->median = rows;
    } else {
        (*shards)++;
        tenants->largest_shard = rows > tenants->largest_shard ? rows : tenants->largest_shard;
    }
}

static bool count(Plan *plan, const char *hash, int64_t room, Error *err) {
    PlanTenants *tenants = &plan->tenants;
    const char *sql = count_sql(plan, hash, room, &tenants->sampled);
    PGresult *result;
    int shards = 0;

    if (!sql) {
        tenants->unknown = "no table has rows that a path leads from to a tenant";
        return true;
    }
    result = plan_look(&plan->migration, "counting rows by tenant", sql, LOOK_MS, err);
    if (!result)
        return false;
    tenants->largest = ARENA_ARRAY(plan->migration.arena, PlanTenant, LARGEST);
    for (int row = 0; row < PQntuples(result); row++)
        take_row(plan, result, row, &shards);
    PQclear(result);
    if (hash && tenants->tenants > 0) {
        tenants->shards = plan->shard_count;
        tenants->empty = plan->shard_count - shards;
    }
    return true;
}

bool plan_tenants(Plan *plan, Error *err) {
    Error why = {0};
    const char *hash;

    if (!find_hash(plan, &hash, err))
        return false;
    if (count(plan, hash, SAMPLE_ROWS, &why))
        return true;
    if (strcmp(why.sqlstate, SQLSTATE_QUERY_CANCELED) == 0 && count(plan, hash, SMALL_SAMPLE_ROWS, &why))
        return true;
    if (PQstatus(plan->migration.conn) != CONNECTION_OK) {
        *err = why;
        return false;
    }
    plan->tenants.unknown = strcmp(why.sqlstate, SQLSTATE_QUERY_CANCELED) == 0
                                ? "counting would take longer than some seconds"
                                : arena_strdup(plan->migration.arena, why.message);
    return true;
}
