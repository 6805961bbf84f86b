/* The trigger for writers who come past the proxies, where the configuration wants it. It is there before
 * stage derive is: what they wrote before, the backfill fills. */
#include "migrate/trigger.h"

#include "migrate/lock.h"

/* From stage resolve on it is gone for good. */
static bool is_wanted(const Migration *migration, const Table *table) {
    return migration->config->trigger && table->stage < STAGE_RESOLVE && table->path.nsteps > 0;
}

static void describe(const Migration *migration, const Table *table, Buf *out) {
    const char *name = table_qualified_name(migration->arena, table);

    if (is_wanted(migration, table))
        buf_printf(out, "make the trigger of %s", name);
    else
        buf_printf(out, "leave %s without a trigger", name);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    if (is_wanted(migration, table))
        lock_script(trigger_sql(migration, table, false), out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    if (is_wanted(migration, table))
        lock_script(trigger_drop_sql(migration, table), out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    TriggerState state;

    *done = true;
    if (!is_wanted(migration, table))
        return true;
    if (!trigger_read(migration, table, &state, err))
        return false;
    *done = state.complete;
    return true;
}

const Step step_trigger = {
    .name = "trigger",
    .scope = STEP_EACH_BACKFILL,
    .why = "Functions, jobs and whoever else writes past the proxies know nothing of the tenant column.",
    .lock = "SHARE ROW EXCLUSIVE, a moment: writers wait",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = trigger_make,
    .revert = trigger_drop};
