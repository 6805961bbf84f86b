/* Epoch → done: the proxies send what the application sends, and audit it. Only ever asked for by name:
 * nobody but the application's people can know that it needs no help any more. */
#include "migrate/stages.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_describe(migration, STAGE_DONE, out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_script(migration, STAGE_DONE, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    stages_undo(migration, STAGE_DONE, out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return stages_reached(migration, STAGE_DONE, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_move(migration, STAGE_DONE, err);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return stages_back(migration, STAGE_DONE, err);
}

const Step step_done = {
    .name = "done",
    .why = "The application sends the tenant itself by now: the proxies need not add it any more.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
