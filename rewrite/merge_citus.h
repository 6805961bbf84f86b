/* What Citus demands of a MERGE into a distributed table. */
#ifndef REWRITE_MERGE_CITUS_H
#define REWRITE_MERGE_CITUS_H

#include "rewrite/set.h"
#include "rewrite/source.h"

/* How ON joins the tenant of the target with a column of the source. */
typedef struct MergeJoin {
    const Block *merge;
    const Table *table;
    bool joined;
    const char *added; /* the source's column, as text, where ON does not say so; NULL */
} MergeJoin;

/* `table` is the target, and has its tenant column. It is joined also where ON says it in other words: that
 * both have the same tenant, or the same parent. */
MergeJoin merge_citus_join(Rewrite *rw, const Block *merge, const Table *table) MUST_USE;

/* Has ON say so. Demands `added`. */
void merge_citus_add_join(Rewrite *rw, const MergeJoin *join);

/* Whether this expression of an INSERT is the column that ON joins the tenant with. */
bool merge_citus_is_joined(Rewrite *rw, const MergeJoin *join, const Expr *expr) MUST_USE;

/* Refuses what Citus would not take, and returns false then. An INSERT that does not name the tenant is not
 * judged. */
bool merge_citus_takes(Rewrite *rw, const MergeJoin *join) MUST_USE;

#endif
