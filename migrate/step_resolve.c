/* Epoch → resolve: from here on the proxies send the tenant as a value, and nothing depends on a sub-select
 * any more. */
#include "migrate/stages.h"

STAGES_STEP(STAGE_RESOLVE)

/* Citus refuses the sub-selects that the proxies send then. */
static bool are_plain(const Table *const *tables, int n, Error *err) {
    for (int i = 0; i < n; i++) {
        if (tables[i]->citus != CITUS_NONE)
            return error_set(err, "55000", "Citus still knows %s.%s: SELECT undistribute_table takes it back",
                             tables[i]->schema, tables[i]->name);
    }
    return true;
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return are_plain(migration->all, migration->nall, err) &&
           are_plain(migration->references, migration->nreferences, err) &&
           stages_back(migration, STAGE_RESOLVE, err);
}

const Step step_resolve = {
    .name = "resolve",
    .why = "Citus refuses sub-selects in an INSERT: the proxies send the tenant as a value from here on.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
