/* What Citus refuses altogether, once the tenant tables are distributed and the reference tables are what
 * they are called. */
#ifndef REWRITE_CITUS_H
#define REWRITE_CITUS_H

#include "rewrite/context.h"

/* Each fills rw->decision->citus_error where Citus would refuse the statement as it is sent, and makes the
 * verdict multi-tenant then, with a reason and a suggestion. The verdict must have been reached; one that is
 * opaque is left. */

/* A statement that has a block: SELECT, INSERT, UPDATE, DELETE, MERGE, COPY (query). */
void citus_judge_query(Rewrite *rw, const Statement *stmt);
/* COPY of a table. */
void citus_judge_copy(Rewrite *rw, const Statement *stmt);
/* What changes the catalog. */
void citus_judge_ddl(Rewrite *rw, const Statement *stmt);

#endif
