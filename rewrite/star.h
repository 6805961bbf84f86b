/* hide_tenant_column: what a statement that says * shows of a table. */
#ifndef REWRITE_STAR_H
#define REWRITE_STAR_H

#include "rewrite/context.h"

/* Keeps the tenant columns of tables with hide_tenant out of what the statement and those inside it show.
 * Called when all other edits of the statement are recorded. */
void star_rewrite(Rewrite *rw, const Statement *stmt);

/* Whether * in the block, be it of SELECT or of RETURNING, shows less than its tables have: a tenant column
 * is not among the columns that it gives. */
bool star_hides(Rewrite *rw, const Block *block) MUST_USE;

#endif
