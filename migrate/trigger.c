/* Filling the tenant column on the server.
 *
 * A row that comes without a tenant gets that of its parent; where a row is moved to another parent and the
 * statement leaves the tenant as it was, the tenant follows. What the proxies write, and the backfill, has
 * its tenant already: conditions keep the function from being called for it. Rows from before the trigger are
 * the backfill's.
 *
 * The function reads the parents as the role that migrates, since a writer need not be allowed to, and
 * since row security may hide them from him; it tells him nothing but the tenant of a row that he refers to.
 * Nobody else may attach it to a table. All names in it are qualified, and its search_path is its own. A
 * parent may itself be waiting for its tenant, so the whole path is walked as far as it has to be.
 *
 * It fires last, also for rows that a subscription brings. It does not follow a parent that gets another
 * tenant: the proxies do that; by whom else it is done, the verification finds it. */
#include "migrate/trigger.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/lock.h"
#include "migrate/sql/trigger_state.h"

/* Triggers fire in the order of their names. */
#define ON_INSERT "zz_shardferry_tenant_insert"
#define ON_UPDATE "zz_shardferry_tenant_update"

static void append_column(Buf *out, const char *prefix, const char *name) {
    buf_append_cstr(out, prefix);
    quote_identifier(out, name);
}

/* ---- the SQL ---- */

/* The tenant of the parent that step `i` leads to from `child`, as a sub-select. */
static void append_walk(const Migration *migration, const TenantPath *path, int i, const char *child,
                        Buf *out) {
    const ForeignKey *step = path->steps[i];
    const char *alias = arena_printf(migration->arena, "p%d", i);
    bool may_lack = i + 1 < path->nsteps;

    buf_printf(out, "(SELECT %s%s.", may_lack ? "coalesce(" : "", alias);
    quote_identifier(out, step->parent->tenant_column);
    if (may_lack) {
        buf_append_cstr(out, ", ");
        append_walk(migration, path, i + 1, alias, out);
        buf_append_cstr(out, ")");
    }
    buf_printf(out, " FROM %s AS %s WHERE ", table_qualified_name(migration->arena, step->parent), alias);
    for (int c = 0; c < step->ncolumns; c++) {
        buf_printf(out, "%s%s.", c ? " AND " : "", alias);
        quote_identifier(out, step->parent_columns[c]->name);
        buf_printf(out, " = %s.", child);
        quote_identifier(out, step->child_columns[c]->name);
    }
    buf_append_cstr(out, ")");
}

static const char *insert_condition(const Migration *migration, const Table *table) {
    Buf out = {0};

    append_column(&out, "NEW.", table->tenant_column);
    buf_append_cstr(&out, " IS NULL");
    return step_text(migration, &out);
}

/* A row that loses its parent keeps its tenant. */
static const char *update_condition(const Migration *migration, const Table *table) {
    const ForeignKey *step = table->path.steps[0];
    Buf out = {0};

    append_column(&out, "NEW.", table->tenant_column);
    append_column(&out, " IS NULL OR (NEW.", table->tenant_column);
    append_column(&out, " IS NOT DISTINCT FROM OLD.", table->tenant_column);
    buf_append_cstr(&out, " AND (");
    for (int i = 0; i < step->ncolumns; i++) {
        append_column(&out, i ? " OR NEW." : "NEW.", step->child_columns[i]->name);
        append_column(&out, " IS DISTINCT FROM OLD.", step->child_columns[i]->name);
    }
    buf_append_cstr(&out, ")");
    for (int i = 0; i < step->ncolumns; i++) {
        append_column(&out, " AND NEW.", step->child_columns[i]->name);
        buf_append_cstr(&out, " IS NOT NULL");
    }
    buf_append_cstr(&out, ")");
    return step_text(migration, &out);
}

/* The conditions are part of it as a comment, so that the body stands for the whole. */
static const char *function_body(const Migration *migration, const Table *table) {
    Buf out = {0};

    if (table->path.nsteps == 0)
        return "";
    buf_printf(&out, "\n/* INSERT: %s\n   UPDATE: %s */\nBEGIN\n    ", insert_condition(migration, table),
               update_condition(migration, table));
    append_column(&out, "NEW.", table->tenant_column);
    buf_append_cstr(&out, " := ");
    append_walk(migration, &table->path, 0, "NEW", &out);
    buf_append_cstr(&out, ";\n    RETURN NEW;\nEND\n");
    return step_text(migration, &out);
}

static const char *function_name(const Migration *migration, const Table *table) {
    return arena_printf(migration->arena, "shardferry.tenant_%" PRIu32, table->oid);
}

static void append_trigger(const Migration *migration, const Table *table, const char *name,
                           const char *event, const char *condition, Buf *out) {
    const char *on = table_qualified_name(migration->arena, table);

    buf_printf(out,
               "CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW\n    WHEN (%s)\n    EXECUTE FUNCTION %s();\n"
               "ALTER TABLE %s ENABLE ALWAYS TRIGGER %s;\n",
               name, event, on, condition, function_name(migration, table), on, name);
}

static void append_drop_triggers(const Migration *migration, const Table *table, Buf *out) {
    const char *name = table_qualified_name(migration->arena, table);

    buf_printf(out,
               "DROP TRIGGER IF EXISTS " ON_INSERT " ON %s;\nDROP TRIGGER IF EXISTS " ON_UPDATE " ON %s;\n",
               name, name);
}

const char *trigger_sql(const Migration *migration, const Table *table, bool replace) {
    const char *function = function_name(migration, table);
    Buf out = {0};

    if (replace)
        append_drop_triggers(migration, table, &out);
    buf_printf(&out,
               "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER\n"
               "    SET search_path = pg_catalog, pg_temp AS ",
               function);
    step_literal(&out, function_body(migration, table));
    buf_printf(&out, ";\nREVOKE ALL ON FUNCTION %s() FROM PUBLIC;\n", function);
    append_trigger(migration, table, ON_INSERT, "INSERT", insert_condition(migration, table), &out);
    append_trigger(migration, table, ON_UPDATE, "UPDATE", update_condition(migration, table), &out);
    return step_text(migration, &out);
}

const char *trigger_drop_sql(const Migration *migration, const Table *table) {
    Buf out = {0};

    append_drop_triggers(migration, table, &out);
    buf_printf(&out, "DROP FUNCTION IF EXISTS %s();\n", function_name(migration, table));
    return step_text(migration, &out);
}

/* ---- doing it ---- */

bool trigger_read(const Migration *migration, const Table *table, TriggerState *state, Error *err) {
    const char *params[] = {arena_printf(migration->arena, "%" PRIu32, table->oid),
                            function_name(migration, table), function_body(migration, table)};
    PGresult *result =
        query_run(migration->conn, "looking for the trigger", sql_trigger_state, 3, params, err);

    if (!result)
        return false;
    *state = (TriggerState){.present = query_bool(result, 0, 0), .complete = query_bool(result, 0, 1)};
    PQclear(result);
    return true;
}

bool trigger_make(const Migration *migration, const Table *table, Error *err) {
    TriggerState state;

    if (!trigger_read(migration, table, &state, err))
        return false;
    return state.complete || lock_run(migration, table, "making the trigger",
                                      trigger_sql(migration, table, state.present), err);
}

bool trigger_drop(const Migration *migration, const Table *table, Error *err) {
    TriggerState state;

    if (!trigger_read(migration, table, &state, err))
        return false;
    return !state.present ||
           lock_run(migration, table, "dropping the trigger", trigger_drop_sql(migration, table), err);
}
