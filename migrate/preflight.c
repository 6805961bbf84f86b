/* Preflight: each check looks at everything and adds what it finds, so that one run shows all there is to
 * mend.
 *
 * It is in nobody's way: it takes no lock that a writer would feel, waits for none longer than a moment, and
 * no query of it runs longer than a few seconds. */
#include "migrate/preflight_check.h"

#include "catalog/query.h"
#include "migrate/preflight.h"

/* Of the catalog alone: more would mean that somebody holds a lock on it. */
static const char BEGIN_LOOKING[] = "SET statement_timeout = '10s'; SET lock_timeout = '1s'";
static const char END_LOOKING[] = "SET statement_timeout = 0; SET lock_timeout = '10s'";

const char *preflight_name(const Preflight *preflight, const Table *table) {
    return table_qualified_name(preflight->migration->arena, table);
}

/* ---- rows ---- */

static const char *copy_text(const Preflight *preflight, const PGresult *result, int row, int column) {
    const char *text = query_text(result, row, column);

    return text ? arena_strdup(preflight->migration->arena, text) : NULL;
}

static bool add_row(Preflight *preflight, const PGresult *result, int row, Error *err) {
    Finding finding = {.code = copy_text(preflight, result, row, 2),
                       .object = copy_text(preflight, result, row, 3),
                       .what = copy_text(preflight, result, row, 4),
                       .why = copy_text(preflight, result, row, 5),
                       .remedy = copy_text(preflight, result, row, 6)};

    if (!severity_parse(PQgetvalue(result, row, 0), &finding.severity) ||
        !stage_parse(PQgetvalue(result, row, 1), &finding.from))
        return error_set(err, SQLSTATE_INTERNAL_ERROR, "a finding of severity %s, stage %s",
                         PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
    findings_add(preflight->findings, finding);
    return true;
}

bool preflight_query(Preflight *preflight, const char *what, const char *sql, int nparams,
                     const char *const *params, Error *err) {
    PGresult *result = query_run(preflight->migration->conn, what, sql, nparams, params, err);
    bool added = result != NULL;

    for (int row = 0; added && row < PQntuples(result); row++)
        added = add_row(preflight, result, row, err);
    PQclear(result);
    return added;
}

bool preflight_query_tables(Preflight *preflight, const char *what, const char *sql, Error *err) {
    return preflight_query(preflight, what, sql, PREFLIGHT_TABLE_PARAMS, preflight->tables, err);
}

/* ---- the whole ---- */

bool preflight_run(Findings *findings, Error *err) {
    /* Who comes and goes is looked at last: some are just leaving. */
    static PreflightCheck *const CHECKS[] = {preflight_methods, preflight_tables,  preflight_privileges,
                                             preflight_catalog, preflight_server,  preflight_disk,
                                             preflight_data,    preflight_activity};
    Preflight preflight = {.findings = findings, .migration = findings->migration};
    PGconn *conn = findings->migration->conn;
    bool looked = query_script(conn, "preparing preflight", BEGIN_LOOKING, err);
    Error ignored;

    for (size_t i = 0; looked && i < ARRAY_LEN(CHECKS); i++)
        looked = CHECKS[i](&preflight, err);
    if (!looked) {
        (void)!query_script(conn, "ending preflight", END_LOOKING, &ignored);
        return false;
    }
    findings_sort(findings);
    return query_script(conn, "ending preflight", END_LOOKING, err);
}
