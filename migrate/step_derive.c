/* Epoch → derive: from here on, each proxy that learns of it adds the tenant to what it inserts. */
#include "migrate/stages.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_describe(migration, STAGE_DERIVE, out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_script(migration, STAGE_DERIVE, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    stages_undo(STAGE_DERIVE, out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return stages_reached(migration, STAGE_DERIVE, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_move(migration, STAGE_DERIVE, err);
}

const Step step_derive = {
    .name = "derive", .describe = describe, .script = script, .undo = undo, .check = check, .run = run};
