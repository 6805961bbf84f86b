/* Backfill: the tenant of the rows that were there before the proxies began to add it.
 *
 * The table is walked in the order of its primary key. A batch is one statement, which fills the rows of a
 * range and moves the cursor behind them, so that both happen or neither, and rows without a parent are
 * passed like any others. */
#ifndef MIGRATE_BACKFILL_H
#define MIGRATE_BACKFILL_H

#include "migrate/step.h"

typedef struct BackfillState {
    bool begun;
    bool finished;
    int64_t seen, filled; /* rows, of all runs */
    const char *last_key; /* an array literal; NULL before the first batch */
    bool by_pg_cron;      /* who may move it */
} BackfillState;

/* Reads how far it is; strings are in the migration's arena. */
MUST_USE bool backfill_read(const Migration *migration, const Table *table, BackfillState *state, Error *err);

/* What is left open in the statement of a batch, as SQL. */
typedef struct BackfillBatch {
    const char *rows;   /* how many, a bigint */
    const char *behind; /* the key that it begins behind, a text[]; NULL for the first batch */
    const char *driver; /* who runs it: it moves nothing unless that is who may; NULL: the runner */
} BackfillBatch;

/* The statement of a batch; it returns the cursor (array, rows seen, rows filled, whether that was the last).
 * In the arena. */
const char *backfill_sql(const Migration *migration, const Table *table, const BackfillBatch *batch) MUST_USE;

/* Who holds a row of the batch that is to come, for people, in the arena: "row {7} of public.items, held by
 * …". NULL: nobody does, or that cannot be found out. */
MUST_USE bool backfill_holder(const Migration *migration, const Table *table, const char *last_key,
                              int64_t rows, const char **holder, Error *err);

/* Who may move the cursor from now on. A batch that is under way ends first, or comes to nothing. */
#define BACKFILL_BY_RUNNER "runner"
#define BACKFILL_BY_PG_CRON "pg_cron"
MUST_USE bool backfill_give(const Migration *migration, const Table *table, const char *driver, Error *err);

/* Forgets how far it is, so that the next run begins anew. */
MUST_USE bool backfill_reset(const Migration *migration, const Table *table, Error *err);

/* Whether the column is NOT NULL: then there is nothing to fill, nor ever will be. */
MUST_USE bool backfill_is_over(const Migration *migration, const Table *table, bool *over, Error *err);

/* The columns of its primary key, in order; NULL if it has none. */
const Key *backfill_key(const Table *table) MUST_USE;

#endif
