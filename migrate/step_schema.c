/* Schema shardferry: where stages, the epoch and the proxies' leases live. Made in one transaction, so the
 * epoch's row stands for all of it. */
#include "migrate/step.h"

#include "catalog/sql/schema.h"
#include "catalog/stage.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "make schema shardferry");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_printf(out, "BEGIN;\n%sCOMMIT;\n", sql_schema);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "DROP SCHEMA shardferry CASCADE;\n");
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return stage_schema_exists(migration->conn, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stage_create_schema(migration->conn, err);
}

const Step step_schema = {
    .name = "schema",
    .why = "Stages, the epoch and the leases of the proxies are kept in the database that they are about.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run};
