/* Looking ahead on the way back: rows that the old keys cannot take any more, and what was made since on top
 * of what is to go. */
#include "migrate/undo_check.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/old_keys.h"
#include "migrate/sql/undo_dependents.h"

#define SAMPLE_KEYS "5"

/* ---- rows ---- */

/* Keys that repeat: how many, and some of them. */
static const char *repeats_sql(const Migration *migration, const OldKey *key, const char *table) {
    Buf out = {0};

    buf_printf(
        &out,
        "WITH repeats AS (SELECT pg_catalog.concat_ws(', ', %s) AS key FROM %s WHERE %s%s%s GROUP BY %s "
        "HAVING count(*) > 1)\nSELECT count(*), (SELECT pg_catalog.string_agg(s.key, '; ') FROM (SELECT "
        "r.key FROM repeats r ORDER BY 1 LIMIT " SAMPLE_KEYS ") s) FROM repeats",
        key->column_list, table, key->condition, key->predicate ? " AND " : "",
        key->predicate ? key->predicate : "", key->column_list);
    return step_text(migration, &out);
}

/* What cannot be asked will not be made, either: a column of it was dropped, say. */
static void add_unknown(Findings *findings, const OldKey *key, const char *table, const Error *err) {
    findings_add(findings,
                 (Finding){.severity = FINDING_ERROR,
                           .from = STAGE_OBSERVE,
                           .code = "undo-key-unknown",
                           .object = table,
                           .what = arena_printf(findings->migration->arena,
                                                "its old key %s (%s) cannot be made again: %s", key->name,
                                                key->column_list, err->message),
                           .why = "The undo would stop half-way.",
                           .remedy = "If it is not wanted any more, delete its row in shardferry.old_key."});
}

static void add_repeats(Findings *findings, const OldKey *key, const char *table, const PGresult *result) {
    Arena *arena = findings->migration->arena;

    if (query_int(result, 0, 0) == 0)
        return;
    findings_add(
        findings,
        (Finding){.severity = FINDING_ERROR,
                  .from = STAGE_OBSERVE,
                  .code = "undo-key-repeats",
                  .object = table,
                  .what = arena_printf(arena, "%" PRId64 " values of (%s) are in more than one row: %s",
                                       query_int(result, 0, 0), key->column_list, PQgetvalue(result, 0, 1)),
                  .why = arena_printf(arena,
                                      "The old key %s holds no tenant, and cannot be made again as long as "
                                      "different tenants' rows have the same value.",
                                      key->name),
                  .remedy = "Give these rows other values, or delete some; then run it again."});
}

static void check_rows(Findings *findings, const OldKey *key) {
    const Migration *migration = findings->migration;
    const Table *table = snapshot_table(migration->snapshot, key->schema, key->table);
    const char *name;
    PGresult *result;
    Error err;

    if (key->kind == 'f' || key->in_place || key->valid || !table)
        return;
    name = table_qualified_name(migration->arena, table);
    result = query_run(migration->conn, "looking for keys that repeat", repeats_sql(migration, key, name), 0,
                       NULL, &err);
    if (result)
        add_repeats(findings, key, name, result);
    else
        add_unknown(findings, key, name, &err);
    PQclear(result);
}

/* ---- what was made on top ---- */

static void add_dependent(Findings *findings, bool in_the_way, const char *object, const char *on) {
    Arena *arena = findings->migration->arena;

    findings_add(findings,
                 (Finding){.severity = in_the_way ? FINDING_ERROR : FINDING_WARNING,
                           .from = STAGE_OBSERVE,
                           .code = in_the_way ? "undo-dependent" : "undo-goes-as-well",
                           .object = arena_strdup(arena, object),
                           .what = arena_printf(arena, "it depends on %s, which goes", on),
                           .why = in_the_way ? "It was made since, and would be lost, or stop the undo "
                                               "half-way."
                                             : "It is dropped with it.",
                           .remedy = in_the_way ? "Drop it, or make it anew without that; then run "
                                                  "it again."
                                                : "Make it again without that, if it is needed."});
}

static bool check_dependents(Findings *findings, Stage to, Error *err) {
    const char *params[] = {to < STAGE_KEYED ? "true" : "false", to < STAGE_DERIVE ? "true" : "false"};
    PGresult *result = query_run(findings->migration->conn, "looking for what depends on the keys",
                                 sql_undo_dependents, 2, params, err);

    if (!result)
        return false;
    for (int i = 0; i < PQntuples(result); i++)
        add_dependent(findings, query_bool(result, i, 0), PQgetvalue(result, i, 1), PQgetvalue(result, i, 2));
    PQclear(result);
    return true;
}

static void check_column(Findings *findings, const Table *table, bool made) {
    Arena *arena = findings->migration->arena;

    if (made || !table->tenant)
        return;
    findings_add(findings, (Finding){.severity = FINDING_NOTE,
                                     .from = STAGE_OBSERVE,
                                     .code = "undo-column-stays",
                                     .object = table_qualified_name(arena, table),
                                     .what = arena_printf(arena, "its column %s stays", table->tenant_column),
                                     .why = "It was there before the migration.",
                                     .remedy = "Drop it, if it is not needed."});
}

/* Nothing would be taken back of a table that the configuration leaves out, and then be forgotten. */
static void check_left_out(Findings *findings) {
    const Migration *migration = findings->migration;
    Arena *arena = migration->arena;

    for (int i = 0; i < migration->snapshot->ntables; i++) {
        const Table *table = &migration->snapshot->tables[i];
        bool among = false;

        for (int k = 0; k < migration->nall; k++)
            among |= migration->all[k] == table;
        if (table->staged && !among)
            findings_add(findings,
                         (Finding){.severity = FINDING_ERROR,
                                   .from = STAGE_OBSERVE,
                                   .code = "undo-left-out",
                                   .object = table_qualified_name(arena, table),
                                   .what = arena_printf(arena, "it was migrated, but is configured as %s now",
                                                        kind_name(table->kind)),
                                   .why = "What was done to it would stay, and not be known any more.",
                                   .remedy = "Configure it as it was when it was migrated."});
    }
}

/* A foreign key is made again when its parent's turn comes. */
static void check_parent(Findings *findings, const OldKey *key) {
    const Migration *migration = findings->migration;
    Arena *arena = migration->arena;

    if (key->kind != 'f' || !key->taken || key->is_beside)
        return;
    for (int i = 0; i < migration->nall; i++) {
        if (key->parent && strcmp(table_qualified_name(arena, migration->all[i]), key->parent) == 0)
            return;
    }
    findings_add(findings,
                 (Finding){.severity = FINDING_ERROR,
                           .from = STAGE_OBSERVE,
                           .code = "undo-parent-gone",
                           .object = arena_printf(arena, "%s.%s", key->schema, key->table),
                           .what = arena_printf(arena,
                                                "its old foreign key %s referred to %s, which is not "
                                                "there under this name, or not migrated",
                                                key->name, key->parent ? key->parent : "no table"),
                           .why = "It could not be made again.",
                           .remedy =
                               "Give the table its name back, or drop the foreign key and delete its row in "
                               "shardferry.old_key."});
}

bool undo_check(Findings *findings, Stage to, Error *err) {
    const Migration *migration = findings->migration;
    const char **names;
    OldKey *keys;
    int n, nmade;

    check_left_out(findings);
    if (to >= STAGE_KEYED)
        return true;
    if (!old_keys_read(migration, &keys, &n, err) || !check_dependents(findings, to, err))
        return false;
    for (int i = 0; i < n; i++) {
        check_rows(findings, &keys[i]);
        check_parent(findings, &keys[i]);
    }
    for (int i = 0; to < STAGE_DERIVE && i < migration->ntables; i++) {
        if (!made_read(migration, migration->tables[i], MADE_COLUMN, &names, &nmade, err))
            return false;
        check_column(findings, migration->tables[i], nmade > 0);
    }
    findings_sort(findings);
    return true;
}
