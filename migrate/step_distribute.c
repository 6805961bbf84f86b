/* The small tables, all at once: in one transaction, in which their writers wait, with the foreign keys among
 * them, which nothing can break in between. */
#include "migrate/step.h"

#include "migrate/distribute.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    const Table **group;
    Error ignored;
    int n;

    (void)table;
    if (!distribute_group(migration, &group, &n, &ignored))
        n = 0;
    buf_append_cstr(out, n > 0 ? "distribute at once " : "distribute the small tables at once");
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", table_qualified_name(migration->arena, group[i]));
}

static Handover handover_of(const Migration *migration, const Table **group, int n, const Table *anchor) {
    const char **calls = ARENA_ARRAY(migration->arena, const char *, n + 1);

    for (int i = 0; i < n; i++)
        calls[i] = distribute_call(migration, group[i], anchor || i == 0 ? anchor : group[0], false);
    return (Handover){.tables = group, .ntables = n, .calls = calls, .ncalls = n, .lock = "EXCLUSIVE"};
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    const Table **group;
    Handover handover;
    Error err;
    int n;

    (void)table;
    if (!distribute_group(migration, &group, &n, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    if (n == 0)
        return;
    handover = handover_of(migration, group, n, distribute_script_anchor(migration, group[0]));
    distribute_script(migration, &handover, out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    const Table **group;
    Error ignored;
    int n;

    (void)table;
    if (!distribute_group(migration, &group, &n, &ignored) || n == 0)
        return;
    distribute_undo_script(migration, group[0], out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    const Table **group;
    int n;

    (void)table;
    if (!distribute_group(migration, &group, &n, err))
        return false;
    *done = n == 0;
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    const Table **group, *anchor;
    Handover handover;
    int n;

    (void)table;
    if (!distribute_group(migration, &group, &n, err) || !distribute_anchor(migration, &anchor, err))
        return false;
    handover = handover_of(migration, group, n, anchor);
    handover.ncounted = n;
    if (!distribute_run(migration, "distributing", &handover, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (!distribute_analyze(migration, group[i], err))
            return false;
    }
    return true;
}

const Step step_distribute = {
    .name = "distribute",
    .changes_catalog = true,
    .needs_citus = true,
    .why = "A short stop of their writers is less than what distributing them concurrently costs.",
    .lock = "EXCLUSIVE, while they are copied; writers wait",
    .us_per_row = 4,
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run};
