/* Epoch → resolve: from here on the proxies send the tenant as a value, and nothing depends on a sub-select
 * any more. */
#include "migrate/stages.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_describe(migration, STAGE_RESOLVE, out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_script(migration, STAGE_RESOLVE, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    stages_undo(STAGE_RESOLVE, out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return stages_reached(migration, STAGE_RESOLVE, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_move(migration, STAGE_RESOLVE, err);
}

const Step step_resolve = {
    .name = "resolve", .describe = describe, .script = script, .undo = undo, .check = check, .run = run};
