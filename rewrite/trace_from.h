/* Tracing: which item of FROM a column is of, and who would notice one more column. */
#ifndef REWRITE_TRACE_FROM_H
#define REWRITE_TRACE_FROM_H

#include "rewrite/outputs.h"
#include "rewrite/trace.h"

#define TRACE_MAX_PLACES 4

typedef struct TracePlace {
    const FromItem *item;
    const char *column; /* as the item calls it */
} TracePlace;

/* A column may be of several items that a join merges. */
typedef struct TraceFound {
    TracePlace places[TRACE_MAX_PLACES];
    int n;
} TraceFound;

/* Where in the FROM of `block` what stands in its list comes from; none, if it is no plain column. */
TraceFound trace_find(Trace *trace, const Block *block, const Output *output) MUST_USE;

/* The column of that item among the places; NULL if it is not there. */
const char *trace_column_in(const TraceFound *found, const FromItem *item) MUST_USE;

/* Whether `block` reads an item of its FROM by *, or as a row. */
bool trace_reads_all(Trace *trace, const Block *block, const FromItem *item) MUST_USE;

/* Whether the query behind `item`, in the FROM of `block`, may give one more column: nobody reads it by * or
 * as a row. `cte`: it is this one, which others may read, too; else NULL. */
bool trace_may_add(Trace *trace, const Block *block, const FromItem *item, const Cte *cte) MUST_USE;

#endif
