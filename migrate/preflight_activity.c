/* What goes on in the database: open transactions, writers that pass no proxy, jobs. */
#include "migrate/preflight_check.h"

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/sql/preflight_cron.h"
#include "migrate/sql/preflight_has_jobs.h"
#include "migrate/sql/preflight_transactions.h"
#include "migrate/sql/preflight_writers.h"

#define AS_TEXT(x) AS_TEXT_(x)
#define AS_TEXT_(x) #x

/* A transaction is long from here on; a migration waits as long as that without a word. */
#define LONG_SECONDS "60"

static bool check_jobs(Preflight *preflight, Error *err) {
    PGresult *result =
        query_run(preflight->migration->conn, "looking for pg_cron", sql_preflight_has_jobs, 0, NULL, err);
    bool readable = result && query_bool(result, 0, 0);

    PQclear(result);
    return result &&
           (!readable || preflight_query_tables(preflight, "looking at jobs", sql_preflight_cron, err));
}

static bool check_writers(Preflight *preflight, Error *err) {
    const char *params[] = {preflight->tables[0], AS_TEXT(STAGE_ANNOUNCE_KEY)};

    return preflight_query(preflight, "looking at sessions", sql_preflight_writers, 2, params, err);
}

bool preflight_activity(Preflight *preflight, Error *err) {
    static const char *const LONG[] = {LONG_SECONDS};

    return preflight_query(preflight, "looking at transactions", sql_preflight_transactions, 1, LONG, err) &&
           check_jobs(preflight, err) && check_writers(preflight, err);
}
