/* Gathering a plan and printing it. The session is read-only, so that nothing that looks can change anything.
 */
#include "migrate/plan.h"

#include <string.h>

#include "catalog/load.h"
#include "catalog/query.h"
#include "migrate/migration.h"
#include "migrate/plan_model.h"
#include "migrate/preflight.h"
#include "migrate/session.h"
#include "migrate/sql/citus_offered.h"
#include "migrate/sql/plan_shards.h"

static const char READ_ONLY[] = "SET default_transaction_read_only = on";

/* How long to wait for the locks that reading the catalog needs. */
#define LOCK_WAIT_MS 10000

const char *plan_confidence_name(PlanConfidence confidence) {
    static const char *const names[] = {[PLAN_CONFIGURED] = "configured",
                                        [PLAN_CERTAIN] = "certain",
                                        [PLAN_LIKELY] = "likely",
                                        [PLAN_GUESS] = "guess"};

    return names[confidence];
}

PlanTable *plan_table(const Plan *plan, const Table *table) {
    for (int i = 0; table && i < plan->ntables; i++) {
        if (plan->tables[i].table == table)
            return &plan->tables[i];
    }
    return NULL;
}

PGresult *plan_look(const Migration *migration, const char *what, const char *sql, int ms, Error *err) {
    const char *limit = arena_printf(migration->arena, "SET statement_timeout = %d", ms);
    PGresult *result;
    Error ignored;

    if (!query_script(migration->conn, what, limit, err))
        return NULL;
    result = query_run(migration->conn, what, sql, 0, NULL, err);
    if (!query_script(migration->conn, what, "SET statement_timeout = 0", result ? err : &ignored)) {
        PQclear(result);
        return NULL;
    }
    return result;
}

/* ---- how far ---- */

/* Sets how far the plan goes, and whether all of it can be done on this server. */
static bool set_goal(Plan *plan, Error *err) {
    Migration *migration = &plan->migration;
    PGresult *result = query_run(migration->conn, "looking for Citus", sql_citus_offered, 0, NULL, err);

    if (!result)
        return false;
    plan->citus_offered = query_bool(result, 0, 0);
    PQclear(result);
    migration->to = plan->options->as_far_as_possible ? STAGE_DISTRIBUTED : plan->options->to;
    if (!plan->citus_offered && migration->to > STAGE_RESOLVE) {
        plan->citus_missing = true;
        migration->to = STAGE_RESOLVE;
    }
    return true;
}

static bool count_shards(Plan *plan, Error *err) {
    PGresult *result;

    plan->shard_count = plan->migration.config->shard_count;
    if (plan->shard_count > 0)
        return true;
    result = query_run(plan->migration.conn, "reading citus.shard_count", sql_plan_shards, 0, NULL, err);
    if (!result)
        return false;
    plan->shard_count = (int)query_int(result, 0, 0);
    PQclear(result);
    return true;
}

/* ---- the plan ---- */

static bool gather(Plan *plan, Error *err) {
    plan->findings.migration = &plan->migration;
    return query_script(plan->migration.conn, "beginning the plan", READ_ONLY, err) && set_goal(plan, err) &&
           count_shards(plan, err) && plan_tables(plan, err) && preflight_run(&plan->findings, err) &&
           plan_paths(plan, err) && plan_steps(plan, err) && plan_tenants(plan, err);
}

static PlanResult plan_migration(const Config *config, const PlanOptions *options, Error *err) {
    static void (*const print[])(const Plan *) = {
        [PLAN_TEXT] = plan_print_text, [PLAN_JSON] = plan_print_json, [PLAN_SQL] = plan_print_sql};
    Plan plan = {.options = options,
                 .migration = {.to = STAGE_OBSERVE, .out = stderr, .lock_wait = LOCK_WAIT_MS}};
    PlanResult result = PLAN_FAILED;

    if (!migration_open(&plan.migration, config, false, err))
        return PLAN_FAILED;
    if (gather(&plan, err)) {
        print[options->form](&plan);
        result = plan.findings.errors > 0 ? PLAN_FINDINGS : PLAN_DONE;
    }
    migration_close(&plan.migration);
    return result;
}

/* ---- without a tenant table ---- */

static PlanResult suggest(const Config *config, const PlanOptions *options, Error *err) {
    PlanSuggestion suggestion = {.traffic = options->traffic, .arena = arena_new()};
    PGconn *conn = session_open(config, err);
    Snapshot *snapshot = conn && query_script(conn, "beginning the plan", READ_ONLY, err)
                             ? catalog_load(conn, config, err)
                             : NULL;
    bool done = false;

    if (snapshot) {
        suggestion.snapshot = snapshot;
        suggestion.host = PQhost(conn);
        suggestion.port = PQport(conn);
        done = plan_suggest(conn, &suggestion, err);
    }
    if (done && options->form == PLAN_JSON)
        plan_print_suggestion_json(&suggestion, options);
    else if (done)
        plan_print_suggestion(&suggestion, options);
    snapshot_unref(snapshot);
    PQfinish(conn);
    arena_free(suggestion.arena);
    return done ? PLAN_FINDINGS : PLAN_FAILED;
}

PlanResult plan_run(const Config *config, const PlanOptions *options, Error *err) {
    if (!config->tenant_table && options->form == PLAN_SQL) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "[tenant] table is missing: there is nothing to plan by");
        error_hint(err, "Without --sql, tables that could be the tenants' are suggested.");
        return PLAN_FAILED;
    }
    return config->tenant_table ? plan_migration(config, options, err) : suggest(config, options, err);
}
