/* Reading keys, and telling whether the one by the tenant alone may be added. */
#include "migrate/keys.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/session.h"
#include "migrate/sql/foreign_keys.h"
#include "migrate/sql/keys.h"
#include "migrate/sql/tenant_key.h"

static const char *text(const Migration *migration, const PGresult *result, int row, int column) {
    return query_keep(migration->arena, result, row, column);
}

static const char *oid_text(const Migration *migration, const Table *table) {
    return arena_printf(migration->arena, "%" PRIu32, table->oid);
}

static UniqueKey take_unique(const Migration *migration, const PGresult *result, int row) {
    return (UniqueKey){.name = text(migration, result, row, 1),
                       .constraint = text(migration, result, row, 2),
                       .type = text(migration, result, row, 3),
                       .deferrable = text(migration, result, row, 4),
                       .readable = query_bool(result, row, 5),
                       .build = text(migration, result, row, 6),
                       .next = text(migration, result, row, 7),
                       .next_qualified = text(migration, result, row, 8),
                       .has_next = query_bool(result, row, 9),
                       .next_valid = query_bool(result, row, 10),
                       .build_plain = text(migration, result, row, 11),
                       .plain_name = text(migration, result, row, 12),
                       .plain_qualified = text(migration, result, row, 13),
                       .has_plain = query_bool(result, row, 14),
                       .plain_valid = query_bool(result, row, 15),
                       .wants_plain = query_bool(result, row, 16),
                       .tablespace = text(migration, result, row, 17),
                       .stored_name = text(migration, result, row, 18),
                       .kind = text(migration, result, row, 19),
                       .definition = text(migration, result, row, 20),
                       .predicate = text(migration, result, row, 21),
                       .columns = text(migration, result, row, 22),
                       .decoration = text(migration, result, row, 23),
                       .restored = query_bool(result, row, 24),
                       .beside = text(migration, result, row, 25)};
}

bool keys_unique(const Migration *migration, const Table *table, UniqueKey **keys, int *n, Error *err) {
    const char *params[] = {oid_text(migration, table), table->tenant_column};
    PGresult *result = query_run(migration->conn, "reading the keys", sql_keys, 2, params, err);

    if (!result)
        return false;
    *n = PQntuples(result);
    *keys = ARENA_ARRAY(migration->arena, UniqueKey, *n + 1);
    for (int i = 0; i < *n; i++)
        (*keys)[i] = take_unique(migration, result, i);
    PQclear(result);
    return true;
}

static PGresult *read_foreign(const Migration *migration, Error *err) {
    SessionArray oids = {0}, columns = {0};
    const char *params[2];
    PGresult *result;

    for (int i = 0; i < migration->nall; i++) {
        session_array_add(&oids, oid_text(migration, migration->all[i]));
        session_array_add(&columns, migration->all[i]->tenant_column);
    }
    params[0] = session_array_text(&oids);
    params[1] = session_array_text(&columns);
    result = query_run(migration->conn, "reading the foreign keys", sql_foreign_keys, 2, params, err);
    session_array_free(&oids);
    session_array_free(&columns);
    return result;
}

static PairlessKey take_foreign(const Migration *migration, const PGresult *result, int row) {
    return (PairlessKey){.oid = text(migration, result, row, 0),
                         .child_oid = (uint32_t)query_int(result, row, 1),
                         .parent_oid = (uint32_t)query_int(result, row, 2),
                         .child = text(migration, result, row, 3),
                         .name = text(migration, result, row, 4),
                         .definition = text(migration, result, row, 5),
                         .next = text(migration, result, row, 6),
                         .has_next = query_bool(result, row, 7),
                         .next_valid = query_bool(result, row, 8),
                         .parent = text(migration, result, row, 9),
                         .child_schema = text(migration, result, row, 10),
                         .child_name = text(migration, result, row, 11),
                         .stored_name = text(migration, result, row, 12),
                         .old_definition = text(migration, result, row, 13),
                         .decoration = text(migration, result, row, 14),
                         .restored = query_bool(result, row, 15),
                         .next_own = text(migration, result, row, 16),
                         .beside = text(migration, result, row, 17)};
}

bool keys_foreign(const Migration *migration, const Table *table, PairlessKey **keys, int *n, Error *err) {
    PGresult *result = read_foreign(migration, err);

    if (!result)
        return false;
    *keys = ARENA_ARRAY(migration->arena, PairlessKey, PQntuples(result) + 1);
    *n = 0;
    for (int i = 0; i < PQntuples(result); i++) {
        PairlessKey key = take_foreign(migration, result, i);

        if (!table || key.child_oid == table->oid)
            (*keys)[(*n)++] = key;
    }
    PQclear(result);
    return true;
}

/* That by which the last table of a path, which has the tenant's column as its own, refers to the tenants. */
static const ForeignKey *last_key(const Snapshot *snapshot, const Table *table) {
    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *fk = table->foreign_keys[i];

        if (fk->parent == snapshot->tenant_table && fk->ncolumns == 1 &&
            fk->child_columns[0] == table->tenant)
            return fk;
    }
    return NULL;
}

/* What becomes of the rows at the start of a path when the tenant at its end is deleted: the first foreign
 * key from there that does not cascade decides. */
typedef enum Fate { FATE_DELETED, FATE_REFUSED, FATE_SPARED } Fate;

static Fate fate_by(const ForeignKey *fk) {
    if (fk && fk->on_delete == 'c')
        return FATE_DELETED;
    return fk && strchr("ar", fk->on_delete) && !fk->deferrable ? FATE_REFUSED : FATE_SPARED;
}

/* `*enforced`: every row has its parent, and at every instant. */
static Fate path_fate(const Snapshot *snapshot, const TenantPath *path, bool *enforced) {
    const Table *last = path->steps[path->nsteps - 1]->parent;
    int n = path->nsteps + (last != snapshot->tenant_table);
    Fate fate = FATE_DELETED;

    *enforced = true;
    for (int i = n - 1; i >= 0; i--) {
        const ForeignKey *fk = i < path->nsteps ? path->steps[i] : last_key(snapshot, last);

        *enforced &= fk && fk->validated && !fk->deferrable;
        if (fate == FATE_DELETED)
            fate = fate_by(fk);
    }
    return fate;
}

/* A table that always had its tenant column has the key that it was given. While tables are being
 * distributed, a key that is missing has been taken away for that, and comes back behind it. */
static void want_tenant_key(const Snapshot *snapshot, const Table *table, TenantKey *key) {
    bool enforced;
    Fate fate;

    if (table->kind != KIND_BACKFILL || table->stage >= STAGE_DISTRIBUTED || table->path.nsteps == 0)
        return;
    fate = path_fate(snapshot, &table->path, &enforced);
    if (!enforced || fate == FATE_SPARED)
        return;
    for (int i = 0; i < table->nother_paths; i++) {
        Fate other = path_fate(snapshot, &table->other_paths[i], &enforced);

        if (other != fate && other != FATE_SPARED)
            return; /* which of the two comes first, nobody knows */
    }
    key->wanted = true;
    key->cascades = fate == FATE_DELETED;
}

bool keys_tenant(const Migration *migration, const Table *table, TenantKey *key, Error *err) {
    const char *params[] = {oid_text(migration, table), table->tenant_column,
                            oid_text(migration, migration->snapshot->tenant_table)};
    PGresult *result =
        query_run(migration->conn, "reading the tenant's foreign key", sql_tenant_key, 3, params, err);

    if (!result)
        return false;
    if (PQntuples(result) != 1) {
        PQclear(result);
        return error_set(err, "42P01", "table %s is gone", table->name);
    }
    *key = (TenantKey){.name = text(migration, result, 0, 0),
                       .stored_name = text(migration, result, 0, 1),
                       .exists = query_bool(result, 0, 2),
                       .valid = query_bool(result, 0, 3)};
    PQclear(result);
    want_tenant_key(migration->snapshot, table, key);
    return true;
}
