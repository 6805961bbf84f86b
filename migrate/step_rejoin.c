/* The foreign keys that Citus did not take are there again and valid: this is the end of the time in which a
 * row could lose its parent. Most were added when the second of their tables was distributed; here it is an
 * error if one is missing, or does not hold. */
#include "migrate/step.h"

#include "migrate/rejoin.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "see that all foreign keys are there again");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    rejoin_script(out);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    int n;

    (void)table;
    if (!rejoin_pending(migration, &n, err))
        return false;
    *done = n == 0;
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return rejoin_run(migration, true, err);
}

const Step step_rejoin = {.name = "rejoin",
                          .waits = true,
                          .needs_citus = true,
                          .changes_catalog = true,
                          .why = "Rows must not lose their parents.",
                          .lock = "SHARE ROW EXCLUSIVE, a moment; then none that writers feel",
                          .us_per_row = 0.5,
                          .describe = describe,
                          .script = script,
                          .undo = step_no_sql,
                          .check = check,
                          .run = run};
