/* Epoch → derive: from here on, each proxy that learns of it adds the tenant to what it inserts. */
#include "migrate/stages.h"

STAGES_STEP(STAGE_DERIVE)

/* The column may go when nobody names it any more, and whoever did is done. */
static bool revert(const Migration *migration, const Table *table, Error *err) {
    bool columns = false;

    (void)table;
    for (int i = 0; i < migration->ntables; i++)
        columns |= migration->tables[i]->tenant != NULL;
    return stages_back(migration, STAGE_DERIVE, err) && (!columns || step_settle.run(migration, NULL, err));
}

const Step step_derive = {
    .name = "derive",
    .why = "From here on the proxies add the tenant to what is inserted, by a sub-select on the parent.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
