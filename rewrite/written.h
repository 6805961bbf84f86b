/* Does a statement write rows that no sub-select of it would see? */
#ifndef REWRITE_WRITTEN_H
#define REWRITE_WRITTEN_H

#include "rewrite/context.h"

/* Whether it may make, or change the key or the tenant of, a row on the path from `table` to its tenant: all
 * parts of one statement see the tables as they were before it. */
bool written_path(Rewrite *rw, const Table *table) MUST_USE;

#endif
