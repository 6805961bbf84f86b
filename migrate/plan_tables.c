/* What each table is, how sure that is, and how large it is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/plan_model.h"
#include "migrate/session.h"
#include "migrate/sql/plan_citus_sizes.h"
#include "migrate/sql/plan_sizes.h"

/* A reference table is on every node, and every write goes to all of them. */
#define REFERENCE_ROWS 1000000
#define REFERENCE_WRITES 10.0 /* rows a second */

#define NAMED_CHILDREN 3

/* ---- sizes ---- */

static bool is_stored(const Table *table) {
    return table->relkind == 'r' || table->relkind == 'p' || table->relkind == 'f';
}

/* The snapshot is small beside what is asked about it: no index. */
static int index_of(const Snapshot *snapshot, int64_t oid) {
    for (int i = 0; i < snapshot->ntables; i++) {
        if (snapshot->tables[i].oid == oid)
            return i;
    }
    return -1;
}

/* The tables of a kind, as a parameter; `citus`: those that Citus knows of. Frees `array`'s text elsewhere.
 */
static int list_tables(const Snapshot *snapshot, bool citus, SessionArray *array) {
    int n = 0;
    char oid[16];

    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (!is_stored(table) || table->partition_of || (citus && table->citus == CITUS_NONE))
            continue;
        snprintf(oid, sizeof(oid), "%" PRIu32, table->oid);
        session_array_add(array, oid);
        n++;
    }
    return n;
}

static PGresult *ask_sizes(PGconn *conn, const char *sql, SessionArray *oids, Error *err) {
    const char *param = session_array_text(oids);
    PGresult *result = query_run(conn, "reading the tables' sizes", sql, 1, &param, err);

    session_array_free(oids);
    return result;
}

/* A distributed table's statistics are not where its rows are: these are about how many fit into it. */
static bool add_citus_sizes(PGconn *conn, const Snapshot *snapshot, PlanSize *sizes, Error *err) {
    SessionArray oids = {0};
    PGresult *result;

    if (!snapshot->has_citus || list_tables(snapshot, true, &oids) == 0)
        return true;
    result = ask_sizes(conn, sql_plan_citus_sizes, &oids, err);
    if (!result)
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        int i = index_of(snapshot, query_int(result, row, 0));

        if (i < 0 || PQgetisnull(result, row, 1))
            continue;
        sizes[i].bytes = query_int(result, row, 1);
        if (snapshot->tables[i].citus == CITUS_DISTRIBUTED || snapshot->tables[i].citus == CITUS_REFERENCE)
            sizes[i].rows = sizes[i].bytes / PLAN_ROW_BYTES;
    }
    PQclear(result);
    return true;
}

PlanSize *plan_sizes(PGconn *conn, Arena *arena, const Snapshot *snapshot, Error *err) {
    PlanSize *sizes = ARENA_ARRAY(arena, PlanSize, snapshot->ntables + 1);
    SessionArray oids = {0};
    PGresult *result;

    for (int i = 0; i < snapshot->ntables; i++)
        sizes[i] = (PlanSize){.rows = -1, .writes = -1};
    if (list_tables(snapshot, false, &oids) == 0) {
        session_array_free(&oids);
        return sizes;
    }
    result = ask_sizes(conn, sql_plan_sizes, &oids, err);
    if (!result)
        return NULL;
    for (int row = 0; row < PQntuples(result); row++) {
        int i = index_of(snapshot, query_int(result, row, 0));

        if (i >= 0)
            sizes[i] = (PlanSize){.rows = query_int(result, row, 1),
                                  .bytes = query_int(result, row, 2),
                                  .writes = strtod(PQgetvalue(result, row, 3), NULL)};
    }
    PQclear(result);
    return add_citus_sizes(conn, snapshot, sizes, err) ? sizes : NULL;
}

/* ---- kinds ---- */

/* What is found out about a table's kind. */
typedef struct Judgement {
    PlanConfidence confidence;
    const char *why, *doubt;
} Judgement;

/* Whether a foreign key says that the table's tenant column is a tenant's. */
static bool has_tenant_key(const Table *table, const Table *tenant) {
    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *fk = table->foreign_keys[i];

        for (int j = 0; j < fk->ncolumns; j++) {
            if (fk->child_columns[j] == table->tenant && fk->parent_columns[j] == fk->parent->tenant &&
                (fk->parent == tenant || fk->parent->kind == KIND_DISTRIBUTED))
                return true;
        }
    }
    return false;
}

static Judgement judge_column(const Plan *plan, const Table *table) {
    Arena *arena = plan->migration.arena;
    const char *why = arena_printf(arena, "it has the tenant column, %s", table->tenant_column);

    if (has_tenant_key(table, plan->migration.snapshot->tenant_table))
        return (Judgement){PLAN_CERTAIN, arena_printf(arena, "%s, with a foreign key to it", why), NULL};
    return (Judgement){
        PLAN_LIKELY, why,
        arena_printf(arena, "No foreign key says that its %s is a tenant.", table->tenant_column)};
}

static Judgement judge_path(const Plan *plan, const Table *table) {
    Arena *arena = plan->migration.arena;
    Buf buf = {0};
    Judgement judgement = {.confidence = PLAN_CERTAIN};

    if (table->staged_backfill) {
        judgement.why = "it was taken into the migration as such";
        return judgement;
    }
    buf_append_cstr(&buf, "it leads to the tenant: ");
    tenant_path_describe(&table->path, &buf);
    judgement.why = step_text(&plan->migration, &buf);
    if (!plan_path_is_certain(&table->path)) {
        judgement.confidence = PLAN_LIKELY;
        judgement.doubt = "A key on the way, or the tenant at its end, may be NULL, or is not validated: "
                          "such rows have no tenant.";
    } else if (table->nother_paths > 0) {
        judgement.confidence = PLAN_LIKELY;
        judgement.doubt =
            arena_printf(arena, "%d other path%s lead%s to a tenant, too.", table->nother_paths,
                         table->nother_paths == 1 ? "" : "s", table->nother_paths == 1 ? "s" : "");
    }
    return judgement;
}

static const char *name_children(const Plan *plan, const Table *table) {
    Buf buf = {0};
    int named = 0, others = 0;

    for (int i = 0; i < table->nreferenced_by; i++) {
        const Table *child = table->referenced_by[i]->child;
        bool again = i > 0 && table->referenced_by[i - 1]->child == child;

        if (again || child->kind == KIND_LOCAL || child->partition_of)
            continue;
        if (named == NAMED_CHILDREN)
            others++;
        else
            buf_printf(&buf, "%s%s", named++ ? ", " : "", table_qualified_name(plan->migration.arena, child));
    }
    if (others > 0)
        buf_printf(&buf, " and %d more", others);
    return step_text(&plan->migration, &buf);
}

static const char *doubt_reference(const Plan *plan, const PlanSize *size) {
    Arena *arena = plan->migration.arena;

    if (size->rows > REFERENCE_ROWS)
        return arena_printf(arena,
                            "It has %" PRId64
                            " rows, each of which would be on every node: if they belong to "
                            "tenants, say by what (tenant_from), or give it the tenant column.",
                            size->rows);
    if (size->writes > REFERENCE_WRITES)
        return arena_printf(
            arena,
            "%.0f of its rows are written a second, and every write would go to all nodes: if "
            "they belong to tenants, say by what (tenant_from).",
            size->writes);
    return NULL;
}

static Judgement judge_reference(const Plan *plan, const Table *table, const PlanSize *size) {
    const char *doubt = doubt_reference(plan, size);

    return (Judgement){doubt ? PLAN_GUESS : PLAN_LIKELY,
                       arena_printf(plan->migration.arena, "it leads to no tenant, and these refer to it: %s",
                                    name_children(plan, table)),
                       doubt};
}

/* A tenant table whose only key column, not simply called id, is called like a column of `table`. */
static const char *named_like_key(const Plan *plan, const Table *table) {
    const Snapshot *snapshot = plan->migration.snapshot;

    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *parent = &snapshot->tables[i];
        const Key *key = parent->nkeys > 0 && parent->keys[0].primary ? &parent->keys[0] : NULL;
        bool by_tenant = parent->kind == KIND_DISTRIBUTED || parent->kind == KIND_BACKFILL;
        const Column *column;

        if (!by_tenant || parent->partition_of || !key || key->ncolumns != 1 ||
            strcmp(key->columns[0]->name, "id") == 0)
            continue;
        column = table_column(table, key->columns[0]->name);
        if (column && strcmp(column->type_name, key->columns[0]->type_name) == 0)
            return arena_printf(
                plan->migration.arena,
                "Its column %s is called like the key of %s: if it leads there, write [table %s] "
                "tenant_from = %s -> %s.",
                column->name, table_qualified_name(plan->migration.arena, parent),
                table_qualified_name(plan->migration.arena, table), column->name,
                table_qualified_name(plan->migration.arena, parent));
    }
    return NULL;
}

static Judgement judge_local(const Plan *plan, const Table *table) {
    return (Judgement){PLAN_GUESS, "nothing links it to a tenant", named_like_key(plan, table)};
}

static Judgement judge(const Plan *plan, const Table *table, const PlanSize *size) {
    switch (table->reason) {
    case REASON_CONFIGURED:
        return (Judgement){PLAN_CONFIGURED, "the configuration says so", NULL};
    case REASON_TENANT_TABLE:
        return (Judgement){PLAN_CONFIGURED, "it is the tenant table", NULL};
    case REASON_CITUS:
        return (Judgement){PLAN_CERTAIN, "Citus has it so", NULL};
    case REASON_HAS_COLUMN:
        return judge_column(plan, table);
    case REASON_PATH:
        return judge_path(plan, table);
    case REASON_REFERENCED:
        return judge_reference(plan, table, size);
    case REASON_NONE:
        break;
    }
    return judge_local(plan, table);
}

/* ---- all of them ---- */

static bool is_distributable(const Plan *plan, const Table *table) {
    for (int i = 0; i < plan->migration.nall; i++) {
        if (plan->migration.all[i] == table)
            return true;
    }
    return false;
}

static bool fill(const Plan *plan, const Table *table, const PlanSize *size, PlanTable *out, Error *err) {
    Judgement judgement = judge(plan, table, size);

    *out = (PlanTable){.table = table,
                       .name = table_qualified_name(plan->migration.arena, table),
                       .confidence = judgement.confidence,
                       .why = judgement.why,
                       .doubt = table->problem ? table->problem : judgement.doubt,
                       .rows = size->rows,
                       .bytes = size->bytes,
                       .writes = size->writes,
                       .distributable = is_distributable(plan, table),
                       .compared = -1};
    return !out->distributable || method_choose(&plan->migration, table, &out->method, err);
}

bool plan_tables(Plan *plan, Error *err) {
    const Snapshot *snapshot = plan->migration.snapshot;
    PlanSize *sizes = plan_sizes(plan->migration.conn, plan->migration.arena, snapshot, err);

    if (!sizes)
        return false;
    plan->tables = ARENA_ARRAY(plan->migration.arena, PlanTable, snapshot->ntables + 1);
    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (!is_stored(table) || table->partition_of)
            continue;
        if (!fill(plan, table, &sizes[i], &plan->tables[plan->ntables++], err))
            return false;
    }
    return true;
}
