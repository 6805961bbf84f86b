/* What a plan consists of: gathered by plan_tables.c, plan_paths.c, plan_steps.c, plan_tenants.c and
 * plan_suggest.c, printed by plan_text.c, plan_json.c and plan_sql.c. Everything is in the migration's arena.
 */
#ifndef MIGRATE_PLAN_MODEL_H
#define MIGRATE_PLAN_MODEL_H

#include "migrate/findings.h"
#include "migrate/method.h"
#include "migrate/plan.h"
#include "migrate/tasks.h"

/* About what a row takes, with its indexes, where nobody knows how many there are. */
#define PLAN_ROW_BYTES 150

/* How sure the kind of a table is. */
typedef enum PlanConfidence {
    PLAN_CONFIGURED, /* somebody said so */
    PLAN_CERTAIN,    /* it follows from constraints */
    PLAN_LIKELY,
    PLAN_GUESS, /* it should be looked at */
} PlanConfidence;

/* A way from a table's rows to their tenant. */
typedef struct PlanPath {
    const char *text; /* "order_id -> public.orders(order_id)" */
    int steps;
    bool nullable;    /* a step may be NULL */
    int64_t disagree; /* rows that have another tenant by it than by the chosen path; -1: nobody looked */
} PlanPath;

typedef struct PlanTable {
    const Table *table;
    const char *name; /* as SQL */
    PlanConfidence confidence;
    const char *why;    /* a clause */
    const char *doubt;  /* what speaks against it, a sentence; NULL */
    int64_t rows;       /* about; -1: nobody knows */
    int64_t bytes;      /* of heap, TOAST and indexes */
    double writes;      /* rows a second since the server's statistics began; < 0: nobody knows */
    bool distributable; /* `method` is filled */
    MethodChoice method;
    /* Of a backfill table: the chosen path first. */
    PlanPath *paths;
    int npaths;
    int64_t compared;         /* rows that the paths were compared on; -1: they were not */
    int64_t tenantless;       /* of these: without a tenant by the chosen path */
    bool sampled;             /* they are some of the table's rows, not all */
    const char *not_compared; /* why; NULL */
} PlanTable;

typedef struct PlanStep {
    int number; /* from 1 */
    const Task *task;
    const char *what;
    const char *sql, *undo; /* "" for none */
    int64_t rows;           /* -1: nobody knows, 0: it does not depend on them */
    double low, high;       /* seconds; both 0: a moment; < 0: nobody knows */
} PlanStep;

typedef struct PlanTenant {
    const char *id;
    int64_t rows;
} PlanTenant;

/* Rows by tenant, over all tenant tables. */
typedef struct PlanTenants {
    const char *unknown; /* why it is not known; NULL: it is */
    bool sampled;        /* large tables are looked at in part */
    int64_t tenants;     /* that have rows */
    int64_t rows;
    int64_t median; /* rows of a tenant */
    PlanTenant *largest;
    int nlargest;
    int shards;            /* 0: where the tenants would be is not known */
    int empty;             /* shards without rows */
    int64_t largest_shard; /* rows */
} PlanTenants;

typedef struct Plan {
    Migration migration;
    const PlanOptions *options;
    PlanTable *tables;
    int ntables;
    Findings findings;
    Tasks tasks;
    PlanStep *steps;
    int nsteps;
    double low, high; /* seconds of all that is to do */
    bool incomplete;  /* of some steps nobody knows how long they take */
    PlanTenants tenants;
    int shard_count;
    bool citus_offered;
    bool citus_missing; /* what is behind migration.to has to be done on a server with Citus */
} Plan;

/* A table that could be the tenants'. */
typedef struct PlanCandidate {
    const Table *table;
    const char *name;      /* as SQL */
    const Column *key;     /* its primary key, the tenant's id */
    const char *column;    /* what the tenant column would be called */
    int tables;            /* that lead to it by foreign keys, itself included */
    int certain;           /* of these: by keys that are NOT NULL */
    int64_t rows, covered; /* its own; of all those tables */
    double traffic;        /* share of the statements that filter by it, 0 … 1; < 0: nobody knows */
    double table_weight, row_weight; /* of tables and their rows; less for keys that may be NULL */
    double score;                    /* 0 … 1 */
    const char *why;                 /* sentences */
} PlanCandidate;

typedef struct PlanSuggestion {
    const PlanTraffic *traffic;
    const Snapshot *snapshot;
    Arena *arena;
    const char *host, *port; /* of the server */
    PlanCandidate *candidates;
    int n;
    int ntables;
    int64_t rows; /* of all tables */
} PlanSuggestion;

const char *plan_confidence_name(PlanConfidence confidence) MUST_USE;

/* Each fills its part; false with `err` if it could not look. */
MUST_USE bool plan_tables(Plan *plan, Error *err);
MUST_USE bool plan_paths(Plan *plan, Error *err);
MUST_USE bool plan_steps(Plan *plan, Error *err);
MUST_USE bool plan_tenants(Plan *plan, Error *err);

/* The plan's entry of a table; NULL if it has none. */
PlanTable *plan_table(const Plan *plan, const Table *table) MUST_USE;

/* Sizes of the tables of a snapshot, by their OIDs. */
typedef struct PlanSize {
    int64_t rows, bytes;
    double writes;
} PlanSize;
/* In `arena`, one for each table of the snapshot, in its order. NULL with `err`. */
PlanSize *plan_sizes(PGconn *conn, Arena *arena, const Snapshot *snapshot, Error *err) MUST_USE;

/* Runs a query that looks at data, for no longer than `ms`. NULL with `err`: 57014 if that was too short. */
PGresult *plan_look(const Migration *migration, const char *what, const char *sql, int ms,
                    Error *err) MUST_USE;
/* Appends how many rows of `table` are to be looked at: TABLESAMPLE … for all but small tables. Returns by
 * what counts are to be multiplied: 1 if all are. `room` is about how many. */
double plan_sample(const PlanTable *table, int64_t room, Buf *out) MUST_USE;
/* Appends the joins from "t", a row of the path's table, along the path, with aliases that begin with
 * `prefix`, and returns the tenant at its end as SQL, in `arena`. */
const char *plan_join(Arena *arena, const TenantPath *path, const char *prefix, Buf *out) MUST_USE;
/* Whether constraints prove that every row has a tenant by it. */
bool plan_path_is_certain(const TenantPath *path) MUST_USE;

MUST_USE bool plan_suggest(PGconn *conn, PlanSuggestion *suggestion, Error *err);

void plan_print_text(const Plan *plan);
void plan_print_json(const Plan *plan);
void plan_print_sql(const Plan *plan);
/* The settings to write for the first candidate, as a file has them; NULL without one. */
const char *plan_suggested_settings(const PlanSuggestion *suggestion) MUST_USE;
void plan_print_suggestion(const PlanSuggestion *suggestion, const PlanOptions *options);
void plan_print_suggestion_json(const PlanSuggestion *suggestion, const PlanOptions *options);

#endif
