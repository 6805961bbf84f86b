/* The proof: what was distributed is what was there before. Tables that were distributed at once have been
 * proved in the transaction that did it; those that were written meanwhile are compared with their old
 * shard here, which is dropped then. */
#include "migrate/step.h"

#include "migrate/citus.h"
#include "migrate/proof.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "prove that %s has all rows, as they were",
               table_qualified_name(migration->arena, table));
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    CitusTable now;
    Switch found;

    *done = false;
    if (!citus_table(migration, table, &now, err))
        return false;
    if (now.kind != CITUS_DISTRIBUTED)
        return true;
    if (!proof_read(migration, table, &found, err))
        return false;
    *done = !found.seen || (found.proved && !found.old_shard);
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    CitusTable now;
    Switch found;

    if (!citus_table(migration, table, &now, err))
        return false;
    if (now.kind != CITUS_DISTRIBUTED)
        return error_set(err, "55000", "it is not distributed yet");
    if (!proof_read(migration, table, &found, err))
        return false;
    if (found.seen && !found.proved && !proof_run(migration, table, found.old_shard, err))
        return false;
    return !found.old_shard || proof_drop(migration, table, found.old_shard, err);
}

const Step step_prove = {.name = "prove",
                         .scope = STEP_EACH_DISTRIBUTED,
                         .needs_citus = true,
                         .why =
                             "What was distributed while it was written must be what was there, row for row.",
                         .us_per_row = 6,
                         .describe = describe,
                         .script = step_no_sql,
                         .undo = step_no_sql,
                         .check = check,
                         .run = run};
