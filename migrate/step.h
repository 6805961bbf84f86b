/* A step of the migration: one file, one const entry.
 *
 * Whether a step is done is read from the catalog, never from the journal, so that a runner that was killed
 * at any instant, and whatever was done by hand meanwhile, are met as they are. Each step's run is one
 * transaction, or a wait: there is no half-done step. */
#ifndef MIGRATE_STEP_H
#define MIGRATE_STEP_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "catalog/snapshot.h"
#include "conf/config.h"

typedef struct Watch Watch;

/* What the steps share. The catalog in it is read anew between two steps where the first one has changed it;
 * during a step nothing in it changes. */
typedef struct Migration {
    PGconn *conn;
    Arena *arena;
    const Config *config;
    Watch *watch; /* NULL where nothing is run: see migrate/watch.h */
    const Snapshot *snapshot;
    struct KeptSnapshot *kept; /* this one and those before it */
    /* No partitions in any of these; parents come before their children. */
    const Table **tables; /* those that get the tenant column */
    int ntables;
    const Table **all; /* and those that have it: all that will be distributed, whose keys get the tenant */
    int nall;
    const Table **references; /* those that will be reference tables */
    int nreferences;
    Stage to;     /* how far it goes */
    bool undoing; /* it goes back: what `undo` of a step prints is for what is there, not for what will be */
    FILE *out;
    int lock_wait; /* ms in all that a step tries for a lock */
} Migration;

typedef void StepSql(const Migration *migration, const Table *table, Buf *out);

typedef enum StepScope {
    STEP_ONCE,             /* for the database; `table` is NULL */
    STEP_EACH_BACKFILL,    /* for each table that gets the tenant column */
    STEP_EACH_DISTRIBUTED, /* for each table that will be distributed */
    STEP_EACH_REFERENCE,   /* for each table that will be a reference table */
} StepScope;

typedef MUST_USE bool StepAction(const Migration *migration, const Table *table, Error *err);

typedef struct Step {
    const char *name;
    StepScope scope;
    bool waits;           /* for the effects of the steps before it */
    bool only_looks;      /* changes nothing that `check` could see: a later step shows that it was passed */
    bool changes_catalog; /* so that the snapshot is read anew behind it */
    bool needs_citus;     /* without Citus on the server it is printed, not run */
    /* For people who read the plan: why it is there; the strongest lock that it takes and what that keeps
     * waiting ("ACCESS EXCLUSIVE, a moment"), NULL for none; and about how long a row takes. */
    const char *why;
    const char *lock;
    double us_per_row;
    /* Appends what it does, as a phrase: "add column store_id to public.line_items". */
    StepSql *describe;
    /* Appends the SQL that it runs, and the SQL that takes it back; nothing where it only waits. Both are
     * written for the state that the steps before it leave behind, also where these have not been run. */
    StepSql *script;
    StepSql *undo;
    MUST_USE bool (*check)(const Migration *migration, const Table *table, bool *done, Error *err);
    StepAction *run;
    StepAction *verify; /* behind run, beside check, which has to find it done then; NULL: check is enough */
    StepAction
        *revert; /* takes back what was done of it, also half of it; NULL: there is nothing to take back */
} Step;

extern const Step step_schema;                  /* schema shardferry */
extern const Step step_register;                /* every proxy knows of it */
extern const Step step_enrol;                   /* the tables are taken into the migration */
extern const Step step_column;                  /* the tenant column */
extern const Step step_trigger;                 /* it fills that for writers past the proxies */
extern const Step step_derive;                  /* stage derive */
extern const Step step_acknowledge;             /* every proxy works by it */
extern const Step step_settle;                  /* and every transaction from before is over */
extern const Step step_backfill;                /* the rows from before get their tenant */
extern const Step step_verify;                  /* which is that of their parents */
extern const Step step_not_null;                /* the tenant column is NOT NULL */
extern const Step step_index;                   /* indexes for keys with the tenant */
extern const Step step_foreign_key;             /* foreign keys with the tenant */
extern const Step step_keyed;                   /* stage keyed */
extern const Step step_swap;                    /* the keys without the tenant go */
extern const Step step_resolve;                 /* stage resolve */
extern const Step step_drop_trigger;            /* the trigger goes */
extern const Step step_nodes;                   /* Citus's cluster */
extern const Step step_distributed;             /* stage distributed */
extern const Step step_reference;               /* reference tables */
extern const Step step_distribute;              /* small tables are distributed, all at once */
extern const Step step_distribute_concurrently; /* and the others one by one */
extern const Step step_rejoin;                  /* with their foreign keys */
extern const Step step_leftovers;               /* what broken-off runs have left goes */
extern const Step step_prove;                   /* no row was lost */
extern const Step step_recheck;                 /* and all that they refer to is there */
extern const Step step_truncate;                /* the copies on the coordinator go */
extern const Step step_rebalance;               /* the shards are spread over the nodes */
extern const Step step_isolate;                 /* the largest tenants get shards of their own */
extern const Step step_done;                    /* stage done */

/* All of them in order, each with the stage that it is on the way to. */
typedef struct StepEntry {
    const Step *step;
    Stage to;
} StepEntry;
extern const StepEntry steps[];
extern const int steps_count;

/* For a step that only waits. */
void step_no_sql(const Migration *migration, const Table *table, Buf *out);

/* The buffer's text, moved to the migration's arena; the buffer is free then. */
const char *step_text(const Migration *migration, Buf *buf) MUST_USE;

/* Appends a text as a string literal (standard_conforming_strings on). */
void step_literal(Buf *out, const char *text);

/* A line for people, at once. */
void step_say(const Migration *migration, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
