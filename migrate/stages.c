/* Which tables are in which stage: read from shardferry.stage itself, not from the snapshot, which is older.
 */
#include "migrate/stages.h"

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/sql/stages.h"

static bool has_reached(const PGresult *rows, const Table *table, Stage stage) {
    for (int row = 0; row < PQntuples(rows); row++) {
        Stage current;

        if (strcmp(PQgetvalue(rows, row, 0), table->schema) == 0 &&
            strcmp(PQgetvalue(rows, row, 1), table->name) == 0)
            return stage_parse(PQgetvalue(rows, row, 2), &current) && current >= stage;
    }
    return false;
}

/* The tables that are not as far as `stage`, in the arena. Without the schema, that is all of them. */
static bool find_behind(const Migration *migration, Stage stage, StageTable **behind, int *n, Error *err) {
    bool exists;
    PGresult *rows = NULL;

    if (!stage_schema_exists(migration->conn, &exists, err))
        return false;
    if (exists && !(rows = query_run(migration->conn, "reading the stages", sql_stages, 0, NULL, err)))
        return false;
    *behind = ARENA_ARRAY(migration->arena, StageTable, migration->nall + 1);
    *n = 0;
    for (int i = 0; i < migration->nall; i++) {
        const Table *table = migration->all[i];

        if (!exists || !has_reached(rows, table, stage))
            (*behind)[(*n)++] = (StageTable){table->schema, table->name, table->tenant_column, table->kind};
    }
    PQclear(rows);
    return true;
}

bool stages_reached(const Migration *migration, Stage stage, bool *reached, Error *err) {
    StageTable *behind;
    int n;

    if (!find_behind(migration, stage, &behind, &n, err))
        return false;
    *reached = n == 0;
    return true;
}

bool stages_move(const Migration *migration, Stage stage, Error *err) {
    StageTable *behind;
    int64_t epoch;
    int n;

    return find_behind(migration, stage, &behind, &n, err) &&
           stage_set(migration->conn, behind, n, stage, &epoch, err);
}

void stages_script(const Migration *migration, Stage stage, Buf *out) {
    StageTable *behind;
    Error err;
    int n;

    if (!find_behind(migration, stage, &behind, &n, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    buf_append_cstr(out,
                    "BEGIN;\nUPDATE shardferry.epoch SET epoch = epoch + 1, changed = pg_catalog.now();\n");
    for (int i = 0; i < n; i++) {
        buf_append_cstr(
            out,
            "INSERT INTO shardferry.stage (table_schema, table_name, stage, tenant_column, since_epoch, kind)"
            "\n    SELECT ");
        step_literal(out, behind[i].schema);
        buf_append_cstr(out, ", ");
        step_literal(out, behind[i].name);
        buf_printf(out, ", '%s', ", stage_name(stage));
        step_literal(out, behind[i].tenant_column);
        buf_printf(out,
                   ", epoch, '%s' FROM shardferry.epoch\n    ON CONFLICT (table_schema, table_name) DO "
                   "UPDATE SET stage = "
                   "excluded.stage, since_epoch = excluded.since_epoch;\n",
                   kind_name(behind[i].kind));
    }
    buf_append_cstr(out, "SELECT pg_catalog.pg_notify('" STAGE_CHANNEL
                         "', (SELECT epoch::text FROM shardferry.epoch));\nCOMMIT;\n");
}

void stages_describe(const Migration *migration, Stage stage, Buf *out) {
    buf_printf(out, "move %d table%s to stage %s", migration->nall, migration->nall == 1 ? "" : "s",
               stage_name(stage));
}

void stages_undo(Stage stage, Buf *out) {
    buf_printf(out,
               "BEGIN;\nUPDATE shardferry.epoch SET epoch = epoch + 1, changed = pg_catalog.now();\n"
               "UPDATE shardferry.stage SET stage = '%s', since_epoch = (SELECT epoch FROM "
               "shardferry.epoch) WHERE stage = '%s';\nSELECT pg_catalog.pg_notify('" STAGE_CHANNEL
               "', epoch::text) FROM shardferry.epoch;\nCOMMIT;\n",
               stage_name(stage - 1), stage_name(stage));
}
