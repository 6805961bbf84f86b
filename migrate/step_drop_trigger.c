/* The trigger goes: Citus distributes no table that has one. From here on, who writes past the proxies has to
 * name the tenant himself. */
#include "migrate/trigger.h"

#include "migrate/lock.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "drop the trigger of %s", table_qualified_name(migration->arena, table));
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    if (migration->config->trigger)
        lock_script(trigger_drop_sql(migration, table), out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    if (migration->config->trigger && table->path.nsteps > 0)
        lock_script(trigger_sql(migration, table, false), out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    TriggerState state;

    if (!trigger_read(migration, table, &state, err))
        return false;
    *done = !state.present;
    return true;
}

/* Without the setting there was none. */
static bool revert(const Migration *migration, const Table *table, Error *err) {
    return !migration->config->trigger || table->path.nsteps == 0 || trigger_make(migration, table, err);
}

const Step step_drop_trigger = {.name = "drop trigger",
                                .scope = STEP_EACH_BACKFILL,
                                .why = "Citus distributes no table that has triggers.",
                                .lock = "ACCESS EXCLUSIVE, a moment: everybody waits",
                                .describe = describe,
                                .script = script,
                                .undo = undo,
                                .check = check,
                                .run = trigger_drop,
                                .revert = revert};
