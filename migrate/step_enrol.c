/* Taking the tables into the migration, in stage observe, before anything is done to them: from then on a
 * table that has the tenant column is known as one that got it, not as one that always had it. */
#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/proxies.h"
#include "migrate/sql/stages.h"
#include "migrate/stages.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    buf_printf(out, "take %d table%s into the migration", migration->nall, migration->nall == 1 ? "" : "s");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_script(migration, STAGE_OBSERVE, out);
}

static const char FORGET[] =
    "BEGIN;\nUPDATE shardferry.epoch SET epoch = epoch + 1, changed = pg_catalog.clock_timestamp();\n"
    "DELETE FROM shardferry.stage;\nDELETE FROM shardferry.backfill;\nDELETE FROM shardferry.old_key;\n"
    "DELETE FROM shardferry.made;\n"
    "SELECT pg_catalog.pg_notify('" STAGE_CHANNEL "', epoch::text) FROM shardferry.epoch;\nCOMMIT;\n";

static bool anything_enrolled(const Migration *migration, bool *enrolled, Error *err) {
    PGresult *result;

    *enrolled = false;
    if (!stage_schema_exists(migration->conn, enrolled, err))
        return false;
    if (!*enrolled)
        return true;
    result = query_run(migration->conn, "reading the stages", sql_stages, 0, NULL, err);
    if (!result)
        return false;
    *enrolled = PQntuples(result) > 0;
    PQclear(result);
    return true;
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    bool enrolled;
    Error err;

    (void)table;
    if (!anything_enrolled(migration, &enrolled, &err))
        buf_printf(out, "-- %s\n", err.message);
    else if (enrolled || !migration->undoing)
        buf_append_cstr(out, FORGET);
}

/* What was written down of tables that are gone goes, too. */
static bool revert(const Migration *migration, const Table *table, Error *err) {
    bool enrolled;

    (void)table;
    if (!anything_enrolled(migration, &enrolled, err))
        return false;
    if (enrolled && !query_script(migration->conn, "forgetting the tables", FORGET, err)) {
        query_rollback(migration->conn);
        return false;
    }
    return proxies_wait(migration, PROXIES_ACKNOWLEDGED, err);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return stages_reached(migration, STAGE_OBSERVE, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_move(migration, STAGE_OBSERVE, err);
}

const Step step_enrol = {
    .name = "enrol",
    .why =
        "From then on a table with a tenant column is known as one that got it, not one that always had it.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
