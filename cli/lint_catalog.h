/* The schema that lint judges by. */
#ifndef CLI_LINT_CATALOG_H
#define CLI_LINT_CATALOG_H

#include <libpq-fe.h>

#include "base/error.h"
#include "catalog/snapshot.h"
#include "conf/config.h"

/* The control connection, for lint's own queries. NULL with `err`. */
PGconn *lint_catalog_connect(const Config *config, Error *err) MUST_USE;

/* From `schema`, the path of a pg_dump --schema-only ("-": stdin), or, where that is NULL, from the control
 * connection's database. Backfill tables are taken to be in `stage`. The caller owns a reference. NULL with
 * `err`. */
Snapshot *lint_catalog_load(const Config *config, const char *schema, Stage stage, Error *err) MUST_USE;

#endif
