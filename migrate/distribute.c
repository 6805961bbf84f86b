/* Handing tables to Citus.
 *
 * What Citus changes about a table while it takes it (migrate/sql/distribute.sql gives it back) is changed in
 * one transaction with the taking, so that no row is inserted by a sequence that stands at its start again.
 */
#include "migrate/distribute.h"

#include <inttypes.h>
#include <stdlib.h>

#include "catalog/query.h"
#include "migrate/checksum.h"
#include "migrate/citus.h"
#include "migrate/lock.h"
#include "migrate/method.h"
#include "migrate/rejoin.h"
#include "migrate/session.h"
#include "migrate/sql/detach.h"
#include "migrate/sql/detachable.h"
#include "migrate/sql/distribute.h"
#include "migrate/watch.h"

/* ---- calls ---- */

static void put_name(const Migration *migration, const Table *table, Buf *out) {
    step_literal(out, table_qualified_name(migration->arena, table));
}

static const char *call_of(const Migration *migration, const char *function, const Table *table) {
    Buf out = {0};

    buf_printf(&out, "pg_catalog.%s(", function);
    put_name(migration, table, &out);
    buf_append_cstr(&out, ")");
    return step_text(migration, &out);
}

const char *distribute_reference_call(const Migration *migration, const Table *table) {
    return call_of(migration, "create_reference_table", table);
}

const char *distribute_add_local_call(const Migration *migration, const Table *table) {
    return call_of(migration, "citus_add_local_table_to_metadata", table);
}

const char *distribute_call(const Migration *migration, const Table *table, const Table *anchor,
                            bool concurrently) {
    int shards = migration->config->shard_count;
    Buf out = {0};

    buf_printf(&out, "pg_catalog.create_distributed_table%s(", concurrently ? "_concurrently" : "");
    put_name(migration, table, &out);
    buf_append_cstr(&out, ", ");
    step_literal(&out, table->tenant_column);
    if (anchor) {
        buf_append_cstr(&out, ", colocate_with => ");
        put_name(migration, anchor, &out);
    } else if (shards > 0) {
        buf_printf(&out, ", shard_count => %d", shards);
    }
    buf_append_cstr(&out, ")");
    return step_text(migration, &out);
}

bool distribute_anchor(const Migration *migration, const Table **anchor, Error *err) {
    *anchor = NULL;
    for (int i = 0; i < migration->nall; i++) {
        const Table *table = migration->all[i];
        CitusTable found;

        if (!citus_table(migration, table, &found, err))
            return false;
        if (found.kind == CITUS_DISTRIBUTED && (!*anchor || table == migration->snapshot->tenant_table))
            *anchor = table;
    }
    return true;
}

const Table *distribute_script_anchor(const Migration *migration, const Table *table) {
    const Table *anchor;
    Error ignored;

    if (distribute_anchor(migration, &anchor, &ignored) && anchor)
        return anchor;
    return table == migration->all[0] ? NULL : migration->all[0];
}

/* ---- transactions ---- */

static void put_setting(const char *name, const char *value, Buf *out) {
    buf_printf(out, "SELECT pg_catalog.set_config('%s', ", name);
    step_literal(out, value);
    buf_append_cstr(out, ", true);\n");
}

static void put_array(const char *name, SessionArray *items, Buf *out) {
    put_setting(name, session_array_text(items), out);
    session_array_free(items);
}

static bool refers_to_reference(const Handover *handover) {
    for (int i = 0; i < handover->ntables; i++) {
        const Table *table = handover->tables[i];

        for (int k = 0; k < table->nforeign_keys; k++) {
            if (table->foreign_keys[k]->parent->kind == KIND_REFERENCE)
                return true;
        }
    }
    return false;
}

/* The statements of it, in the migration's arena. */
static const char *distribute_sql(const Migration *migration, const Handover *handover) {
    SessionArray names = {0}, calls = {0};
    Buf out = {0};

    for (int i = 0; i < handover->ntables; i++)
        session_array_add(&names, table_qualified_name(migration->arena, handover->tables[i]));
    for (int i = 0; i < handover->ncalls; i++)
        session_array_add(&calls, handover->calls[i]);
    for (int i = 0; i < handover->ncounted; i++)
        checksum_before(migration, handover->tables[i], &out);
    buf_append_cstr(&out, "SET LOCAL search_path = pg_catalog;\n"
                          "SET LOCAL citus.enable_local_reference_table_foreign_keys = off;\n");
    if (refers_to_reference(handover)) /* Citus takes such a table behind another one in no other way */
        buf_append_cstr(&out, "SET LOCAL citus.multi_shard_modify_mode = 'sequential';\n");
    if (handover->detach) {
        put_setting("shardferry.table", table_qualified_name(migration->arena, handover->detach), &out);
        buf_append_cstr(&out, sql_detach);
    }
    put_setting("shardferry.lock", handover->lock, &out);
    put_array("shardferry.tables", &names, &out);
    put_array("shardferry.calls", &calls, &out);
    buf_append_cstr(&out, sql_distribute);
    for (int i = 0; i < handover->ncounted; i++)
        checksum_after(migration, handover->tables[i], &out);
    buf_append_cstr(&out, "NOTIFY shardferry;\n");
    return step_text(migration, &out);
}

bool distribute_run(const Migration *migration, const char *what, const Handover *handover, Error *err) {
    return lock_run_all(migration, migration->all, migration->nall, what, distribute_sql(migration, handover),
                        err);
}

bool distribute_analyze(const Migration *migration, const Table *table, Error *err) {
    return watch_script(
        migration, "analyzing",
        arena_printf(migration->arena, "ANALYZE %s", table_qualified_name(migration->arena, table)), err);
}

void distribute_script(const Migration *migration, const Handover *handover, Buf *out) {
    lock_script(distribute_sql(migration, handover), out);
}

/* ---- the way back ---- */

static const char *undistribute_call(const Migration *migration, const Table *table) {
    Buf out = {0};

    buf_append_cstr(&out, "pg_catalog.undistribute_table(");
    put_name(migration, table, &out);
    buf_append_cstr(&out, ", cascade_via_foreign_keys => true)");
    return step_text(migration, &out);
}

void distribute_undo_script(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "SELECT %s;\n", undistribute_call(migration, table));
}

/* Adds those of the tables that Citus has. */
static bool add_taken(const Migration *migration, const Table **from, int n, Handover *handover, Error *err) {
    for (int i = 0; i < n; i++) {
        CitusTable found;

        if (!citus_table(migration, from[i], &found, err))
            return false;
        if (found.kind != CITUS_NONE)
            handover->tables[handover->ntables++] = from[i];
    }
    return true;
}

bool distribute_take_back(const Migration *migration, const Table *table, Error *err) {
    int room = migration->nall + migration->nreferences;
    const char *calls[1];
    Handover handover = {.tables = ARENA_ARRAY(migration->arena, const Table *, room + 1),
                         .calls = calls,
                         .ncalls = 1,
                         .lock = "ACCESS EXCLUSIVE"};
    CitusTable found;

    if (!citus_table(migration, table, &found, err) || !rejoin_run(migration, false, err))
        return false;
    if (found.kind == CITUS_NONE)
        return true;
    calls[0] = undistribute_call(migration, table);
    if (!add_taken(migration, migration->all, migration->nall, &handover, err) ||
        !add_taken(migration, migration->references, migration->nreferences, &handover, err))
        return false;
    return distribute_run(migration, "undistributing", &handover, err) && rejoin_run(migration, false, err);
}

/* ---- foreign keys ---- */

bool distribute_is_attached(const Migration *migration, uint32_t oid, bool *attached, Error *err) {
    const char *param = arena_printf(migration->arena, "%" PRIu32, oid);
    PGresult *result = query_run(migration->conn, "counting foreign keys", sql_detachable, 1, &param, err);

    if (!result)
        return false;
    *attached = query_int(result, 0, 0) > 0;
    PQclear(result);
    return true;
}

static bool is_among(const Table *table, const Table *const *tables, int n) {
    for (int i = 0; i < n; i++) {
        if (tables[i] == table)
            return true;
    }
    return false;
}

bool distribute_parents_ready(const Migration *migration, const Table *table, const Table *const *before,
                              int nbefore, bool *ready, Error *err) {
    *ready = true;
    for (int i = 0; *ready && i < table->nforeign_keys; i++) {
        const Table *parent = table->foreign_keys[i]->parent;
        CitusTable found;

        /* By now reference tables are, or, where a plan looks ahead, will be. */
        if (parent == table || parent->kind == KIND_REFERENCE || is_among(parent, before, nbefore))
            continue;
        if (!citus_table(migration, parent, &found, err))
            return false;
        *ready = found.kind == CITUS_DISTRIBUTED || found.kind == CITUS_REFERENCE;
    }
    return true;
}

bool distribute_group(const Migration *migration, const Table ***group, int *n, Error *err) {
    *group = ARENA_ARRAY(migration->arena, const Table *, migration->nall + 1);
    *n = 0;
    for (int i = 0; i < migration->nall; i++) {
        const Table *table = migration->all[i];
        MethodChoice choice;
        CitusTable found;
        bool ready;

        if (!citus_table(migration, table, &found, err))
            return false;
        if (found.kind != CITUS_NONE)
            continue;
        if (!method_choose(migration, table, &choice, err) ||
            !distribute_parents_ready(migration, table, *group, *n, &ready, err))
            return false;
        if (ready && choice.method == METHOD_BLOCKING)
            (*group)[(*n)++] = table;
    }
    return true;
}
