/* Waiting until each proxy that is alive works by the current epoch, and nothing planned under an older one
 * is running. One whose lease has run out has fenced itself and is not waited for. */
#include "migrate/proxies.h"

#include "migrate/sql/wait_acknowledge.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "wait until every proxy works by it");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, sql_wait_acknowledge);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return proxies_check(migration, PROXIES_ACKNOWLEDGED, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return proxies_wait(migration, PROXIES_ACKNOWLEDGED, err);
}

const Step step_acknowledge = {
    .name = "acknowledge",
    .waits = true,
    .why = "The next step may only begin when no statement that was planned before is running any more.",
    .describe = describe,
    .script = script,
    .undo = step_no_sql,
    .check = check,
    .run = run};
