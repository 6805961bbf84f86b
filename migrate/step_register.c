/* Waiting until each proxy that is connected has found the schema and registered. From then on it learns of
 * every stage change, or fences itself; and what keeps one from it shows before anything of the application's
 * is touched. */
#include "migrate/proxies.h"

#include "migrate/sql/wait_register.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, "wait until every proxy has registered");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    buf_append_cstr(out, sql_wait_register);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    (void)table;
    return proxies_check(migration, PROXIES_REGISTERED, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    (void)table;
    return proxies_wait(migration, PROXIES_REGISTERED, err);
}

const Step step_register = {.name = "register",
                            .waits = true,
                            .why = "A proxy that has not registered would not learn of a new stage and would "
                                   "go on writing by an old one.",
                            .describe = describe,
                            .script = script,
                            .undo = step_no_sql,
                            .check = check,
                            .run = run};
