/* The plan: what each table is, what would be done to it, and what stands in the way. Nothing is changed.
 *
 *   connect → catalog → tables, paths, methods → findings → steps → largest tenants → text, JSON or SQL
 *
 * Without [tenant] table there is nothing to plan by; then tables that could be the tenants' are suggested.
 */
#ifndef MIGRATE_PLAN_H
#define MIGRATE_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "catalog/snapshot.h"
#include "conf/config.h"

typedef enum PlanForm { PLAN_TEXT, PLAN_JSON, PLAN_SQL } PlanForm;

/* A column that a statement compares with a value. */
typedef struct PlanFilter {
    const char *schema; /* NULL: as the search path has it */
    const char *table;
    const char *column; /* the table may turn out not to have it */
} PlanFilter;

/* A statement that the application sends, for suggestions. */
typedef struct PlanStatement {
    const PlanFilter *filters;
    int nfilters;
    uint64_t calls;
} PlanStatement;

typedef struct PlanTraffic {
    const char *source; /* "pg_stat_statements"; NULL: there is none */
    const PlanStatement *statements;
    int nstatements;
} PlanTraffic;

typedef struct PlanOptions {
    PlanForm form;
    bool as_far_as_possible; /* instead of `to`: to stage distributed with Citus, else to resolve */
    Stage to;
    FILE *out;
    bool color;
    const PlanTraffic *traffic; /* only looked at without [tenant] table */
} PlanOptions;

typedef enum PlanResult {
    PLAN_DONE,
    PLAN_FINDINGS, /* printed, but errors are among the findings, or there is no tenant table yet */
    PLAN_FAILED,   /* `err` is filled */
} PlanResult;

MUST_USE PlanResult plan_run(const Config *config, const PlanOptions *options, Error *err);

#endif
