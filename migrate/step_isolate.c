/* The largest tenants get a shard of their own, as many as [migration] isolate_tenants says, by the rows that
 * were counted when the tables were verified. Done is what Citus's metadata says: a shard that holds exactly
 * one hash. */
#include "migrate/step.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/checksum.h"
#include "migrate/citus.h"
#include "migrate/sql/isolate_tenants.h"
#include "migrate/watch.h"

/* A split that waits for writers may wait for ever. */
#define TIMEOUT "SET statement_timeout = '1h'"
#define TIMEOUT_OVER "SET statement_timeout = 0"

typedef struct Tenant {
    const char *id;
    int64_t rows;
    bool alone;
} Tenant;

typedef struct Tenants {
    Tenant *items; /* in the arena */
    int n;
    bool known; /* the tables are distributed, and counted */
} Tenants;

static void describe(const Migration *migration, const Table *table, Buf *out) {
    int n = migration->config->isolate_tenants;

    (void)table;
    if (n == 0)
        buf_append_cstr(out, "do not isolate tenants");
    else
        buf_printf(out, "give the %d largest tenants shards of their own", n);
}

static bool read_tenants(const Migration *migration, Tenants *tenants, Error *err) {
    const char *params[] = {arena_printf(migration->arena, "%d", migration->config->isolate_tenants), NULL};
    CitusTable found;
    PGresult *result;
    bool there;

    *tenants = (Tenants){0};
    if (migration->nall == 0)
        return true;
    if (!citus_table(migration, migration->all[0], &found, err) ||
        !checksum_has_place(migration, &there, err))
        return false;
    if (found.kind != CITUS_DISTRIBUTED || !there)
        return true;
    params[1] = arena_printf(migration->arena, "%" PRIu32, found.oid);
    result =
        query_run(migration->conn, "looking for the largest tenants", sql_isolate_tenants, 2, params, err);
    if (!result)
        return false;
    tenants->n = PQntuples(result);
    tenants->known = tenants->n > 0;
    tenants->items = ARENA_ARRAY(migration->arena, Tenant, tenants->n + 1);
    for (int i = 0; i < tenants->n; i++)
        tenants->items[i] = (Tenant){.id = arena_strdup(migration->arena, PQgetvalue(result, i, 0)),
                                     .rows = query_int(result, i, 1),
                                     .alone = query_bool(result, i, 2)};
    PQclear(result);
    return true;
}

static const char *isolate_sql(const Migration *migration, const Tenant *tenant) {
    Buf out = {0};

    buf_append_cstr(&out, "SELECT pg_catalog.isolate_tenant_to_new_shard(");
    step_literal(&out, table_qualified_name(migration->arena, migration->all[0]));
    buf_append_cstr(&out, ", ");
    step_literal(&out, tenant->id);
    buf_append_cstr(&out, "::text, 'CASCADE')");
    return step_text(migration, &out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    Tenants tenants;
    Error err;

    (void)table;
    if (migration->config->isolate_tenants == 0 || !read_tenants(migration, &tenants, &err))
        return;
    if (!tenants.known)
        buf_append_cstr(out, "-- SELECT isolate_tenant_to_new_shard(table, tenant, 'CASCADE') for each\n");
    for (int i = 0; i < tenants.n; i++)
        buf_printf(out, "%s%s;\n", tenants.items[i].alone ? "-- " : "",
                   isolate_sql(migration, &tenants.items[i]));
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    Tenants tenants;

    (void)table;
    *done = migration->config->isolate_tenants == 0;
    if (*done)
        return true;
    if (!read_tenants(migration, &tenants, err))
        return false;
    *done = tenants.known;
    for (int i = 0; i < tenants.n; i++)
        *done &= tenants.items[i].alone;
    return true;
}

static bool isolate(const Migration *migration, const Tenant *tenant, Error *err) {
    Error ignored;
    bool done = query_script(migration->conn, "isolating a tenant", TIMEOUT, err) &&
                watch_script(migration, "isolating a tenant", isolate_sql(migration, tenant), err);

    if (PQstatus(migration->conn) == CONNECTION_OK &&
        !query_script(migration->conn, "isolating a tenant", TIMEOUT_OVER, done ? err : &ignored))
        return false;
    if (done)
        return true;
    error_prefix(err, "tenant %s", tenant->id);
    if (strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) == 0)
        error_hint(err, "Splitting a shard waits for its writers in the end. What it has made is cleaned up; "
                        "run it again "
                        "when fewer write, or set isolate_tenants = 0.");
    return false;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    Tenants tenants;

    (void)table;
    if (!read_tenants(migration, &tenants, err))
        return false;
    for (int i = 0; i < tenants.n; i++) {
        if (tenants.items[i].alone)
            continue;
        step_say(migration, "  tenant %s, %" PRId64 " rows", tenants.items[i].id, tenants.items[i].rows);
        if (!watch_going(migration, err) || !isolate(migration, &tenants.items[i], err))
            return false;
        watch_work(migration, &(WatchWork){.done = i + 1, .total = tenants.n, .unit = "tenants"});
    }
    return true;
}

const Step step_isolate = {
    .name = "isolate",
    .changes_catalog = true,
    .needs_citus = true,
    .why = "A tenant that is much larger than the others can be moved and placed by itself then.",
    .lock = "writers of a shard wait about a second at the end of its split",
    .describe = describe,
    .script = script,
    .undo = step_no_sql,
    .check = check,
    .run = run};
