/* DDL that Citus refuses on its tables. */
#ifndef REWRITE_CITUS_DDL_H
#define REWRITE_CITUS_DDL_H

#include "rewrite/context.h"

/* Citus's message for a statement that changes the catalog; NULL where it has none, as far as text and
 * catalog say. */
const char *citus_ddl_error(Rewrite *rw, const Statement *stmt) MUST_USE;

#endif
