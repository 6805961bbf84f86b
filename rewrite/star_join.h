/* What * stands for over joins. */
#ifndef REWRITE_STAR_JOIN_H
#define REWRITE_STAR_JOIN_H

#include "rewrite/star_range.h"

/* Writes the list that says what * says, without the columns to be hidden. False, with `sql` in any state:
 * something that has to be known is not. */
bool star_put_all(Star *s, const StarRange *range, Buf *sql) MUST_USE;

/* The same for j.*, j being the join's alias. */
bool star_put_join(Star *s, const StarRange *range, const FromItem *join, Buf *sql) MUST_USE;

#endif
