/* Waiting until each proxy that is alive works by the current epoch, and nothing planned under an older one
 * is running. One whose lease has run out has fenced itself and is not waited for. */
#include "migrate/proxies.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "wait until every proxy works by it");
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return proxies_check(migration, PROXIES_ACKNOWLEDGED, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return proxies_wait(migration, PROXIES_ACKNOWLEDGED, err);
}

const Step step_acknowledge = {.name = "acknowledge",
                               .waits = true,
                               .describe = describe,
                               .script = step_no_sql,
                               .undo = step_no_sql,
                               .check = check,
                               .run = run};
