/* A snapshot from a server. */
#ifndef CATALOG_LOAD_H
#define CATALOG_LOAD_H

#include <libpq-fe.h>

#include "catalog/snapshot.h"
#include "conf/config.h"

/* Reads everything in one read-only transaction, waiting for each answer (a thousand tables take some tens of
 * milliseconds), but no longer than half a lease in all, and a twentieth of one for a lock: a proxy can still
 * renew its lease in time. Only the definition of a view needs locks, on the tables that it reads. If one
 * could not be had (55P03), the detail says who holds it. `conn` is connected, idle and in no transaction; it
 * is so again afterwards unless it broke. Works without the schema `shardferry` (epoch 0, all stages observe)
 * and without Citus. NULL with `err`: the server's error, or snapshot_build's. */
Snapshot *catalog_load(PGconn *conn, const Config *config, Error *err) MUST_USE;
/* The same, as if the migration had come at least to `stage`: see snapshot_assume_stage. */
Snapshot *catalog_load_in_stage(PGconn *conn, const Config *config, Stage stage, Error *err) MUST_USE;

#endif
