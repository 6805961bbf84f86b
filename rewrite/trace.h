/* The tenant that a statement's own text gives: beside a foreign key that is taken from somewhere, the tenant
 * is taken from the same row.
 *
 *   SELECT o.order_id, … FROM orders o                                            o.store_id
 *   WITH o AS (INSERT INTO orders … RETURNING order_id) … SELECT o.order_id FROM o
 *                                   RETURNING order_id, store_id AS made_1        o.made_1
 *
 * A key is followed through sub-selects, CTEs and RETURNING to a column of the parent, or of a table whose
 * rows have the same parent; on the way back each list is given one more column. Nothing is edited until the
 * whole way is known. */
#ifndef REWRITE_TRACE_H
#define REWRITE_TRACE_H

#include "rewrite/context.h"

/* Items and expressions looked at in one text; beyond, nothing is found. */
#define TRACE_MAX_WORK 10000000

typedef struct TraceAddition TraceAddition;
typedef struct TraceReaders TraceReaders;

typedef struct Trace {
    Rewrite *rw;
    const Table *table;   /* whose rows are to get their tenant */
    const ForeignKey *fk; /* table->path.steps[0] */
    TraceAddition *additions;
    int depth;
    int budget;
} Trace;

Trace trace_begin(Rewrite *rw, const Table *table) MUST_USE;

/* What the tenant is called in `block`, a SELECT, on the rows whose list has the key in `columns`, by number
 * and one for each column of the key: SQL, to be added to that list. NULL if the text does not give it. Where
 * the query is grouped, its GROUP BY gets the tenant, too. */
const char *trace_column(Trace *trace, const Block *block, const int *columns) MUST_USE;

/* Records the edits of all that was found. */
void trace_commit(Trace *trace);

/* Inserts a copy of a range of the text as it is with the edits recorded by traces. */
void trace_put_copy(Rewrite *rw, uint32_t offset, Span range);

#endif
