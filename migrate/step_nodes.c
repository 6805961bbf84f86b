/* The cluster: the extension, the address at which the workers reach the coordinator, the workers, and a copy
 * of each reference table on every node, brought there without stopping its writers.
 *
 * What is there already stays as it is. Without workers the coordinator holds all shards; workers that are
 * added later get theirs by a rebalance. */
#include "migrate/step.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/citus.h"
#include "migrate/session.h"
#include "migrate/sql/nodes_address.h"
#include "migrate/sql/nodes_without_reference.h"
#include "migrate/watch.h"

#define TRIES 5
#define PAUSE_MS 500

typedef struct Address {
    const char *host;
    int port;
} Address;

/* What there is, and what there is to be. */
typedef struct Cluster {
    const Migration *migration;
    CitusNode *nodes;
    int nnodes;
    Address coordinator; /* host is NULL where none is configured */
    Address *workers;
    int nworkers;
    int64_t missing; /* copies of reference tables */
} Cluster;

/* ---- what is configured ---- */

static bool parse_address(const Migration *migration, const char *setting, const char *text, Address *address,
                          Error *err) {
    char *host;

    if (!config_address(text, &host, &address->port, err))
        return error_prefix(err, "[migration] %s", setting);
    address->host = arena_strdup(migration->arena, host);
    free(host);
    return true;
}

static bool parse_workers(Cluster *cluster, Error *err) {
    const Migration *migration = cluster->migration;
    char **items = migration->config->workers_to_add ? config_split(migration->config->workers_to_add) : NULL;
    bool done = true;
    int n = 0;

    while (items && items[n])
        n++;
    cluster->workers = ARENA_ARRAY(migration->arena, Address, n + 1);
    for (int i = 0; done && i < n; i++)
        done = parse_address(migration, "workers", items[i], &cluster->workers[cluster->nworkers++], err);
    free(items);
    return done;
}

static bool read_configured(Cluster *cluster, Error *err) {
    const Migration *migration = cluster->migration;

    return parse_workers(cluster, err) &&
           (!migration->config->coordinator_host ||
            parse_address(migration, "coordinator_host", migration->config->coordinator_host,
                          &cluster->coordinator, err));
}

/* ---- what is there ---- */

static bool read_missing(Cluster *cluster, Error *err) {
    PGresult *result = query_run(cluster->migration->conn, "looking at the reference tables",
                                 sql_nodes_without_reference, 0, NULL, err);

    if (!result)
        return false;
    cluster->missing = query_int(result, 0, 0);
    PQclear(result);
    return true;
}

static bool read_cluster(const Migration *migration, Cluster *cluster, Error *err) {
    *cluster = (Cluster){.migration = migration};
    return read_configured(cluster, err) && citus_nodes(migration, &cluster->nodes, &cluster->nnodes, err) &&
           read_missing(cluster, err);
}

static const CitusNode *find_node(const Cluster *cluster, const Address *address) {
    for (int i = 0; i < cluster->nnodes; i++) {
        if (cluster->nodes[i].port == address->port && strcmp(cluster->nodes[i].host, address->host) == 0)
            return &cluster->nodes[i];
    }
    return NULL;
}

static const CitusNode *coordinator_of(const Cluster *cluster) {
    return cluster->nnodes > 0 && cluster->nodes[0].coordinator ? &cluster->nodes[0] : NULL;
}

static bool is_coordinator_right(const Cluster *cluster) {
    const CitusNode *node = coordinator_of(cluster);

    return node && (!cluster->coordinator.host || node == find_node(cluster, &cluster->coordinator));
}

static bool has_worker(const Cluster *cluster) {
    for (int i = 0; i < cluster->nnodes; i++) {
        if (!cluster->nodes[i].coordinator)
            return true;
    }
    return false;
}

/* Whether any node may be given shards. */
static bool has_room(const Cluster *cluster) {
    for (int i = 0; i < cluster->nnodes; i++) {
        if (cluster->nodes[i].has_shards)
            return true;
    }
    return false;
}

static bool is_complete(const Cluster *cluster) {
    bool complete = is_coordinator_right(cluster) && cluster->missing == 0 && has_room(cluster);

    for (int i = 0; i < cluster->nworkers; i++) {
        const CitusNode *node = find_node(cluster, &cluster->workers[i]);

        complete &= node && node->active;
    }
    return complete;
}

/* ---- the coordinator's address ---- */

static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static bool workers_are_here(const Cluster *cluster) {
    bool here = true;

    for (int i = 0; i < cluster->nworkers; i++)
        here &= is_loopback(cluster->workers[i].host);
    for (int i = 0; i < cluster->nnodes; i++)
        here &= cluster->nodes[i].coordinator || is_loopback(cluster->nodes[i].host);
    return here;
}

/* Where none is configured: the address by which this connection reached the server, if others can use it. */
static bool infer_address(const Cluster *cluster, Address *address, Error *err) {
    PGresult *result = query_run(cluster->migration->conn, "looking at the server's address",
                                 sql_nodes_address, 0, NULL, err);
    bool here = workers_are_here(cluster), elsewhere;

    if (!result)
        return false;
    elsewhere = query_text(result, 0, 0) && !query_bool(result, 0, 1);
    address->port = (int)query_int(result, 0, 2);
    address->host = elsewhere ? arena_strdup(cluster->migration->arena, PQgetvalue(result, 0, 0))
                    : cluster->nworkers > 0 || has_worker(cluster) ? "127.0.0.1"
                                                                   : "localhost";
    PQclear(result);
    if (elsewhere || here)
        return true;
    error_set(err, "55000", "the address at which the workers reach the coordinator is not known");
    return error_hint(err, "Set coordinator_host in section [migration].");
}

/* ---- doing it ---- */

static bool call(const Migration *migration, const char *what, const char *function, const Address *address,
                 const char *more, Error *err) {
    Buf sql = {0};

    buf_printf(&sql, "SELECT pg_catalog.%s(", function);
    step_literal(&sql, address->host);
    buf_printf(&sql, ", %d%s)", address->port, more);
    return watch_script(migration, what, step_text(migration, &sql), err);
}

static bool set_coordinator(const Cluster *cluster, Error *err) {
    Address address = cluster->coordinator;

    if (is_coordinator_right(cluster))
        return true;
    if (!address.host && !infer_address(cluster, &address, err))
        return false;
    step_say(cluster->migration, "  the coordinator is %s:%d for the workers", address.host, address.port);
    return call(cluster->migration, "setting the coordinator's address", "citus_set_coordinator_host",
                &address, "", err);
}

/* Others who add nodes, in another database of the same servers perhaps, get into its way. */
static bool add_worker(const Migration *migration, const Address *address, Error *err) {
    for (int tries = 1; !call(migration, "adding a worker", "citus_add_node", address, "", err); tries++) {
        if (tries == TRIES || PQstatus(migration->conn) != CONNECTION_OK ||
            strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) == 0) {
            error_prefix(err, "worker %s:%d", address->host, address->port);
            if (!err->hint[0])
                error_hint(err, "It needs a database of the same name with the extension citus, let the "
                                "coordinator in, and be "
                                "of the same version.");
            return false;
        }
        if (!watch_going(migration, err))
            return false;
        session_sleep(PAUSE_MS);
    }
    return true;
}

static bool add_workers(const Cluster *cluster, Error *err) {
    for (int i = 0; i < cluster->nworkers; i++) {
        const Address *address = &cluster->workers[i];
        const CitusNode *node = find_node(cluster, address);

        if (!node && !add_worker(cluster->migration, address, err))
            return false;
        if (node && !node->active &&
            !call(cluster->migration, "activating a worker", "citus_activate_node", address, "", err))
            return false;
    }
    return true;
}

static bool let_coordinator_hold_shards(const Cluster *cluster, Error *err) {
    const CitusNode *node = coordinator_of(cluster);

    if (has_room(cluster) || !node)
        return true;
    if (has_worker(cluster)) {
        error_set(err, "55000", "no node may be given shards");
        return error_hint(err, "SELECT citus_set_node_property('host', port, 'shouldhaveshards', true).");
    }
    step_say(cluster->migration, "  there are no workers: all shards will be on the coordinator");
    return call(cluster->migration, "letting the coordinator hold shards", "citus_set_node_property",
                &(Address){node->host, node->port}, ", 'shouldhaveshards', true", err);
}

/* By logical replication: writers of the reference tables go on. */
static bool copy_references(const Cluster *cluster, Error *err) {
    return cluster->missing == 0 || watch_script(cluster->migration, "copying reference tables to the nodes",
                                                 "SELECT pg_catalog.replicate_reference_tables('auto')", err);
}

/* ---- the step ---- */

static void describe(const Migration *migration, const Table *table, Buf *out) {
    (void)table;
    buf_append_cstr(out, migration->config->workers_to_add ? "add the workers" : "look at the cluster");
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    Cluster cluster = {.migration = migration};
    Error err;

    (void)table;
    if (!read_configured(&cluster, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    buf_append_cstr(out, "CREATE EXTENSION IF NOT EXISTS citus;\n");
    if (cluster.coordinator.host) {
        buf_append_cstr(out, "SELECT pg_catalog.citus_set_coordinator_host(");
        step_literal(out, cluster.coordinator.host);
        buf_printf(out, ", %d);\n", cluster.coordinator.port);
    }
    for (int i = 0; i < cluster.nworkers; i++) {
        buf_append_cstr(out, "SELECT pg_catalog.citus_add_node(");
        step_literal(out, cluster.workers[i].host);
        buf_printf(out, ", %d);\n", cluster.workers[i].port);
    }
    if (cluster.nworkers > 0)
        buf_append_cstr(out, "SELECT pg_catalog.replicate_reference_tables('auto');\n");
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    Cluster cluster;
    bool there;

    (void)table;
    *done = false;
    if (!citus_is_there(migration, &there, err))
        return false;
    if (!there)
        return true;
    if (!read_cluster(migration, &cluster, err))
        return false;
    *done = is_complete(&cluster);
    return true;
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    Cluster cluster;

    (void)table;
    return watch_script(migration, "making the extension", "CREATE EXTENSION IF NOT EXISTS citus", err) &&
           read_cluster(migration, &cluster, err) && set_coordinator(&cluster, err) &&
           add_workers(&cluster, err) && read_cluster(migration, &cluster, err) &&
           let_coordinator_hold_shards(&cluster, err) && copy_references(&cluster, err);
}

const Step step_nodes = {.name = "nodes",
                         .changes_catalog = true,
                         .needs_citus = true,
                         .why = "Shards need nodes to lie on, and nodes need to reach each other.",
                         .describe = describe,
                         .script = script,
                         .undo = step_no_sql,
                         .check = check,
                         .run = run};
