/* Taking the tables into the migration, in stage observe, before anything is done to them: from then on a
 * table that has the tenant column is known as one that got it, not as one that always had it. */
#include "migrate/stages.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    buf_printf(out, "take %d table%s into the migration", migration->nall, migration->nall == 1 ? "" : "s");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_script(migration, STAGE_OBSERVE, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "DELETE FROM shardferry.stage;\n");
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
    .name = "enrol", .describe = describe, .script = script, .undo = undo, .check = check, .run = run};
