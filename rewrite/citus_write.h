/* What Citus refuses of writes: messages are its own primary ones, NULL where it has none. */
#ifndef REWRITE_CITUS_WRITE_H
#define REWRITE_CITUS_WRITE_H

#include "rewrite/citus_plan.h"

const char *citus_write_insert_error(CitusQuery *query) MUST_USE;
const char *citus_write_merge_error(CitusQuery *query) MUST_USE;

/* Whether Citus has a part in the statement: it reads or writes one of its tables. */
bool citus_write_concerns(const CitusQuery *query) MUST_USE;

/* RETURNING may call nothing that is not immutable. */
const char *citus_write_returning_error(CitusQuery *query) MUST_USE;

/* How much the value of `expr` varies once it is assigned to the column, its default for DEFAULT. */
bool citus_write_exceeds(CitusQuery *query, const Expr *expr, const Column *column,
                         Volatility at_most) MUST_USE;

/* Whether the value is the tenant of the target's row itself, or is said to be equal to it. */
bool citus_write_keeps_tenant(CitusQuery *query, const Expr *expr) MUST_USE;

#endif
