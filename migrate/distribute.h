/* Handing tables to Citus: what the steps that do so have in common. */
#ifndef MIGRATE_DISTRIBUTE_H
#define MIGRATE_DISTRIBUTE_H

#include "migrate/step.h"

/* The calls of Citus's functions, as SQL without SELECT, in the migration's arena. The first table decides
 * how many shards there are; all others lie with it, which is the tenant table wherever that is among Citus's
 * tables by then: `anchor`, NULL for the first one. */
const char *distribute_call(const Migration *migration, const Table *table, const Table *anchor,
                            bool concurrently) MUST_USE;
const char *distribute_reference_call(const Migration *migration, const Table *table) MUST_USE;
const char *distribute_add_local_call(const Migration *migration, const Table *table) MUST_USE;

/* The table that others are to lie with, now: NULL while nothing is distributed. */
MUST_USE bool distribute_anchor(const Migration *migration, const Table **anchor, Error *err);
/* The same for a script, which finds distributed what stands before `table` in it. */
const Table *distribute_script_anchor(const Migration *migration, const Table *table) MUST_USE;

/* The tables that are distributed together, at once, while their writers wait: those that Citus does not have
 * yet, are to be distributed so, and whose parents are distributed, or are among them; parents first. In the
 * migration's arena. */
MUST_USE bool distribute_group(const Migration *migration, const Table ***group, int *n, Error *err);

/* What is to be done in one transaction. */
typedef struct Handover {
    const Table **tables; /* whose comments and identity sequences are kept */
    int ntables;
    const char **calls; /* in this order */
    int ncalls;
    const Table *detach; /* the foreign keys between it and others are taken away first; NULL */
    const char *lock;    /* on all tables: "EXCLUSIVE" */
    int ncounted; /* of so many tables the rows are counted before and behind it, and must be the same */
} Handover;

/* Runs it, in tries that are short as long as the tables are not locked, with new transactions held at the
 * proxies; `what` is a phrase. The proxies load the catalog afterwards. */
MUST_USE bool distribute_run(const Migration *migration, const char *what, const Handover *handover,
                             Error *err);

/* Takes the statistics of a table: its new shards have none, and joins on them would be planned badly. */
MUST_USE bool distribute_analyze(const Migration *migration, const Table *table, Error *err);

/* Appends the same as a script for people. */
void distribute_script(const Migration *migration, const Handover *handover, Buf *out);
/* Appends, for people, what makes the table a plain one again. */
void distribute_undo_script(const Migration *migration, const Table *table, Buf *out);

/* Makes `table`, and all that are related to it by foreign keys, plain tables again, and adds the keys again
 * that were taken away. Citus refuses it for tables with identity columns (0A000). */
MUST_USE bool distribute_take_back(const Migration *migration, const Table *table, Error *err);

/* Whether foreign keys stand in the way of distributing the table concurrently. */
MUST_USE bool distribute_is_attached(const Migration *migration, uint32_t oid, bool *attached, Error *err);

/* Whether the table can be distributed at once with its foreign keys: each of its parents is distributed, a
 * reference table, or one of `before`. */
MUST_USE bool distribute_parents_ready(const Migration *migration, const Table *table,
                                       const Table *const *before, int nbefore, bool *ready, Error *err);

#endif
