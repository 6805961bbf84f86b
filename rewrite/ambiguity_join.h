/* Joins that find their columns by name. */
#ifndef REWRITE_AMBIGUITY_JOIN_H
#define REWRITE_AMBIGUITY_JOIN_H

#include "rewrite/ambiguity_columns.h"

/* Has the joins in the FROM of the block merge the columns that they merged before; NATURAL ones are noted
 * for ambiguity_naturals. */
void ambiguity_joins(Ambiguity *a, const Block *block);

/* Writes out what NATURAL JOINs merge, of all blocks: last of all, for it stands behind what is made of the
 * tables. */
void ambiguity_naturals(Ambiguity *a);

/* Makes the tables on that side, of a join or all of it, sub-selects without the new column of this name.
 * False: some may not be. */
bool ambiguity_wrap(Ambiguity *a, const Block *block, const FromItem *side, const char *column) MUST_USE;

#endif
