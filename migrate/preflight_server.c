/* What the server, Citus and pg_cron have to offer. Nobody who stays in front of stage distributed is
 * bothered with a server that has no Citus yet. */
#include "migrate/preflight_check.h"

#include "catalog/query.h"
#include "migrate/sql/preflight_citus.h"
#include "migrate/sql/preflight_no_citus.h"
#include "migrate/sql/preflight_nodes.h"
#include "migrate/sql/preflight_pg_cron.h"
#include "migrate/sql/preflight_server.h"

static const char *truth(bool value) { return value ? "t" : "f"; }

/* A node that does not answer costs Citus a connection timeout; what it says of that is in its answer, too.
 */
static const char BEGIN_NODES[] = "SET statement_timeout = '3s'; SET client_min_messages = error";
static const char END_NODES[] = "SET statement_timeout = '10s'; SET client_min_messages = warning";

static bool check_nodes(Preflight *preflight, const char *concurrent, Error *err) {
    PGconn *conn = preflight->migration->conn;

    if (!query_script(conn, "looking at the nodes", BEGIN_NODES, err))
        return false;
    if (!preflight_query(preflight, "looking at the nodes", sql_preflight_nodes, 1, &concurrent, err))
        findings_add(
            preflight->findings,
            (Finding){.severity = FINDING_WARNING,
                      .from = STAGE_DISTRIBUTED,
                      .code = "nodes-not-looked-at",
                      .object = "cluster",
                      .what = arena_strdup(preflight->migration->arena, err->message),
                      .why = "Every node of the cluster has to reach every other one, and itself.",
                      .remedy = "SELECT * FROM citus_check_cluster_node_health() shows which ones do not."});
    return query_script(conn, "looking at the nodes", END_NODES, err);
}

static bool check_cluster(Preflight *preflight, const char *concurrent, Error *err) {
    const Config *config = preflight->migration->config;
    const char *params[] = {concurrent, truth(config->workers_to_add != NULL),
                            truth(config->coordinator_host != NULL)};

    if (!preflight->migration->snapshot->has_citus)
        return preflight_query(preflight, "looking for Citus", sql_preflight_no_citus, 0, NULL, err);
    return preflight_query(preflight, "looking at Citus", sql_preflight_citus, 3, params, err) &&
           check_nodes(preflight, concurrent, err);
}

bool preflight_server(Preflight *preflight, Error *err) {
    const Migration *migration = preflight->migration;
    const char *concurrent = arena_printf(migration->arena, "%d", preflight->concurrent);

    if (migration->config->driver == CONF_DRIVER_PG_CRON &&
        !preflight_query(preflight, "looking for pg_cron", sql_preflight_pg_cron, 0, NULL, err))
        return false;
    if (migration->to < STAGE_DISTRIBUTED && !migration->snapshot->has_citus)
        return true;
    return preflight_query(preflight, "looking at settings", sql_preflight_server, 1, &concurrent, err) &&
           check_cluster(preflight, concurrent, err);
}
