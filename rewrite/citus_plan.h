/* Whether Citus can plan a query that is not routed to one shard group.
 *
 * It first takes apart what cannot run on the shards: CTEs and sub-selects that it can plan by themselves are
 * read ahead of the rest, into intermediate results. What is left must be one query that each shard group can
 * answer for itself. Errors are Citus's own primary messages. */
#ifndef REWRITE_CITUS_PLAN_H
#define REWRITE_CITUS_PLAN_H

#include "rewrite/citus_tree.h"

/* Plans a SELECT, VALUES or set operation as a statement of its own. NULL: it can be planned. */
const char *citus_plan_query(CitusQuery *query) MUST_USE;

/* Why a CTE that writes is refused, be the query routed or not. */
const char *citus_plan_writes(CitusQuery *query) MUST_USE;

/* Takes apart what stands in the query, which may be an UPDATE or a DELETE. */
const char *citus_plan_parts(CitusQuery *query) MUST_USE;

/* Of what is left: whether there is a tenant table, and whether all are bound to the same tenant. */
bool citus_plan_is_distributed(const CitusQuery *query) MUST_USE;
bool citus_plan_is_local(const CitusQuery *query) MUST_USE;
bool citus_plan_is_routed(const CitusQuery *query) MUST_USE;

/* Why the shards cannot answer what is left, sub-selects in it included. */
const char *citus_plan_pushdown_error(CitusQuery *query) MUST_USE;

/* ---- citus_outer.c ---- */
/* Reads ahead of the rest what stands on the nullable side of a join whose other side is the same on all
 * shards. */
const char *citus_outer_take_out(CitusQuery *query) MUST_USE;
/* What Citus sees of outer joins, in all of the query. */
typedef struct CitusOuter {
    bool
        seen; /* there is one; what is none by what WHERE says, or stands beside a constant, does not count */
} CitusOuter;
CitusOuter citus_outer_look(CitusQuery *query) MUST_USE;
/* PostgreSQL before 17 does not let Citus see outer joins beside a condition that no row decides. */
const char *citus_outer_error(CitusQuery *query, CitusOuter outer) MUST_USE;
/* Whether there are an outer join and such a condition anywhere: read beside a local table, which of them
 * Citus sees depends on the order in which it takes the query apart. */
bool citus_outer_may_be_refused(CitusQuery *query) MUST_USE;
/* A lateral sub-select on the nullable side, which cannot be read ahead. */
const char *citus_outer_lateral_error(CitusQuery *query) MUST_USE;
/* A join of FROM as PostgreSQL takes it, seeing what WHERE says; JOIN_TYPE_INNER for a cross join. */
JoinType citus_outer_join(CitusQuery *query, const FromItem *item) MUST_USE;
/* Whether it stands on the nullable side of an outer join. */
bool citus_outer_is_nullable(CitusQuery *query, const FromItem *item) MUST_USE;
bool citus_outer_has_join(const CitusQuery *query) MUST_USE;
bool citus_outer_is_lateral(const CitusRel *rel) MUST_USE;

/* ---- citus_clauses.c ---- */
/* Why the coordinator cannot do what the query asks for beside its rows; NULL. */
const char *citus_clauses_error(const CitusQuery *query) MUST_USE;
/* Aggregates are put together on the coordinator, which cannot run a sub-select then. */
const char *citus_clauses_target_error(const CitusQuery *query) MUST_USE;

/* ---- citus_plan.c ---- */
/* Plans a sub-select ahead of the rest, if it depends on nothing around it. */
const char *citus_plan_take_out(CitusQuery *sub) MUST_USE;

/* ---- citus_pushdown.c ---- */
typedef bool CitusRelTest(const CitusRel *rel);
/* Whether any relation passes, of the query and of what stands in it; of its FROM alone. What is an
 * intermediate result does not count. */
bool citus_pushdown_any(const CitusQuery *query, CitusRelTest *test) MUST_USE;
bool citus_pushdown_any_from(const CitusQuery *query, CitusRelTest *test) MUST_USE;
bool citus_pushdown_is_distributed(const CitusRel *rel) MUST_USE;
bool citus_pushdown_is_local(const CitusRel *rel) MUST_USE;
/* Whether all tenant tables in it are joined on their tenants. */
bool citus_pushdown_keys_equal(const CitusQuery *query) MUST_USE;
/* The same of a set operation: values do not make its arms equal. */
bool citus_pushdown_arms_equal(const CitusQuery *query) MUST_USE;
/* Why this one sub-select cannot run on the shards; NULL. */
const char *citus_pushdown_error(CitusQuery *sub) MUST_USE;
/* Why it needs all shards' rows in one place; NULL. */
const char *citus_pushdown_merge_error(CitusQuery *sub) MUST_USE;
const char *citus_pushdown_recurring_error(const CitusQuery *query) MUST_USE;
const char *citus_pushdown_setop_error(const CitusQuery *query) MUST_USE;

/* ---- citus_write.c ---- */
/* The same for INSERT, UPDATE, DELETE and MERGE. */
const char *citus_write_error(CitusQuery *query) MUST_USE;

#endif
