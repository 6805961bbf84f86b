/* The migration runner: brings a database to a stage, step by step, and can be killed and run again at any
 * instant. */
#ifndef MIGRATE_MIGRATE_H
#define MIGRATE_MIGRATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "catalog/snapshot.h"
#include "conf/config.h"

typedef struct MigrateOptions {
    Stage to;      /* STAGE_DERIVE … STAGE_DONE */
    bool dry_run;  /* print the SQL, change nothing */
    int lock_wait; /* seconds in all that a step tries for a lock */
    FILE *out;     /* for people: one line a step */
    /* Asked once, after the steps to do have been printed; NULL: not asked. */
    bool (*confirm)(void);
} MigrateOptions;

typedef enum MigrateResult {
    MIGRATE_DONE,     /* or there was nothing to do */
    MIGRATE_DECLINED, /* confirm said no */
    MIGRATE_FINDINGS, /* unmet preconditions, all of them printed */
    MIGRATE_FAILED,   /* `err` is filled: what failed; everything before it is kept */
} MigrateResult;

MUST_USE MigrateResult migrate_run(const Config *config, const MigrateOptions *options, Error *err);

#endif
