/* SQL that finds the tenant of a row through its foreign-key path. */
#ifndef REWRITE_TENANT_EXPR_H
#define REWRITE_TENANT_EXPR_H

#include "rewrite/context.h"

/* The value of one foreign-key column: fixed text, or a copy of a range of the original. */
typedef struct TenantSource {
    Str text;  /* if ptr is not NULL */
    Span copy; /* else */
} TenantSource;

/* Why no expression can be made for this table's path; NULL if one can. */
const char *tenant_expr_problem(Rewrite *rw, const Table *table) MUST_USE;

/* Inserts the scalar sub-select at `offset`; one source for each column of table->path.steps[0]. NULL, where
 * a parent is missing or a key is NULL. Sources may refer to no column, but to variables of a function.
 * Demands tenant_expr_problem() == NULL. */
void tenant_expr_insert(Rewrite *rw, uint32_t offset, const Table *table, const TenantSource *sources);

/* The same where the sources may refer to columns of the query that it stands in, as in SET: no name of the
 * sub-select's own can capture them. */
void tenant_expr_insert_row(Rewrite *rw, uint32_t offset, const Table *table, const TenantSource *sources);

/* " LEFT JOIN (…) p ON …": for each row of `from`, a table or CTE whose `columns` hold the key, p.t is the
 * tenant, or NULL; one column for each of table->path.steps[0]. It works on tables that Citus has taken over,
 * too, where correlated sub-selects do not. Demands tenant_expr_problem() == NULL. */
void tenant_expr_put_join(Buf *sql, const Table *table, const char *from, const char *const *columns);

/* A whole query for the tenants of the parents with this key, two at most; one expression for each column of
 * table->path.steps[0], "$1" for instance. */
void tenant_expr_put_lookup(Buf *sql, const Table *table, const Str *keys);

/* The same for many parents at once: $1, $2, … are arrays, one for each column of table->path.steps[0], of
 * keys without NULLs. Each row is a tenant and the place of its key in the arrays, from 1; a key without a
 * parent has none, one with several has several. It works on tables that Citus has taken over, too. */
void tenant_expr_put_bulk_lookup(Buf *sql, const Table *table);

/* A column's type as a cast needs it: qualified, with the modifier of e.g. "numeric(10,2)" or "timestamp(3)
 * without time zone". */
void tenant_expr_put_type(Buf *sql, const Column *column);

/* The schema of the operator "=" that compares these columns as a foreign key does; NULL if it is not known.
 */
const char *tenant_expr_equality(const Column *a, const Column *b) MUST_USE;

#endif
