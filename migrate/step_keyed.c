/* Epoch → keyed: from here on the proxies name the tenant in conflict targets, for which both keys are there
 * until the old one goes. */
#include "migrate/stages.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_describe(migration, STAGE_KEYED, out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_script(migration, STAGE_KEYED, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_undo(migration, STAGE_KEYED, out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return stages_reached(migration, STAGE_KEYED, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_move(migration, STAGE_KEYED, err);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_back(migration, STAGE_KEYED, err);
}

const Step step_keyed = {
    .name = "keyed",
    .why = "From here on the proxies name the tenant in conflict targets, for which both keys are there.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
