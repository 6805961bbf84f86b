/* INSERT … SELECT into a table whose tenant column the application does not know. */
#ifndef REWRITE_INSERT_SELECT_H
#define REWRITE_INSERT_SELECT_H

#include "rewrite/context.h"

/* Adds the column and its value; or leaves the statement as it is and says why. `block` has a source, `table`
 * is its target, in stage derive or later. */
void insert_select_rewrite(Rewrite *rw, const Block *block, const Table *table);

#endif
