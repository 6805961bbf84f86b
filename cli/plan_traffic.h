/* What the application's statements filter by, for the suggestion of a tenant table. */
#ifndef CLI_PLAN_TRAFFIC_H
#define CLI_PLAN_TRAFFIC_H

#include "base/arena.h"
#include "conf/config.h"
#include "migrate/plan.h"

/* From the audit of the proxy that runs with this configuration, else from pg_stat_statements; in `arena`.
 * Where neither can be asked there is no traffic: its `source` is NULL. */
const PlanTraffic *plan_traffic_read(const Config *config, Arena *arena) MUST_USE;

#endif
