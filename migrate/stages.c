/* Which tables are in which stage: read from shardferry.stage itself, not from the snapshot, which is older.
 */
#include "migrate/stages.h"

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/proxies.h"
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

/* The stages from `stage` on, as a list of literals. */
static const char *stages_from(const Migration *migration, Stage stage) {
    Buf out = {0};

    for (Stage s = stage; s <= STAGE_DONE; s++)
        buf_printf(&out, "%s'%s'", s == stage ? "" : ", ", stage_name(s));
    return step_text(migration, &out);
}

static const char *back_sql(const Migration *migration, Stage stage) {
    return arena_printf(migration->arena,
                        "BEGIN;\nUPDATE shardferry.epoch SET epoch = epoch + 1, changed = "
                        "pg_catalog.clock_timestamp();\n"
                        "UPDATE shardferry.stage SET stage = '%s', since_epoch = (SELECT epoch FROM "
                        "shardferry.epoch) WHERE stage IN (%s);\nSELECT pg_catalog.pg_notify('" STAGE_CHANNEL
                        "', epoch::text) FROM shardferry.epoch;\nCOMMIT;\n",
                        stage_name(stage - 1), stages_from(migration, stage));
}

/* Whether a table is in `stage` or behind it. */
static bool find_ahead(const Migration *migration, Stage stage, bool *ahead, Error *err) {
    PGresult *rows;
    bool exists;

    *ahead = false;
    if (!stage_schema_exists(migration->conn, &exists, err))
        return false;
    if (!exists)
        return true;
    rows = query_run(migration->conn, "reading the stages", sql_stages, 0, NULL, err);
    if (!rows)
        return false;
    for (int row = 0; row < PQntuples(rows); row++) {
        Stage current;

        *ahead |= stage_parse(PQgetvalue(rows, row, 2), &current) && current >= stage;
    }
    PQclear(rows);
    return true;
}

void stages_undo(const Migration *migration, Stage stage, Buf *out) {
    bool ahead;
    Error err;

    if (!find_ahead(migration, stage, &ahead, &err))
        buf_printf(out, "-- %s\n", err.message);
    else if (ahead || !migration->undoing)
        buf_append_cstr(out, back_sql(migration, stage));
}

bool stages_back(const Migration *migration, Stage stage, Error *err) {
    bool ahead;

    if (!find_ahead(migration, stage, &ahead, err))
        return false;
    if (ahead && !query_script(migration->conn, "changing the stage", back_sql(migration, stage), err)) {
        query_rollback(migration->conn);
        return false;
    }
    return proxies_wait(migration, PROXIES_ACKNOWLEDGED, err);
}
