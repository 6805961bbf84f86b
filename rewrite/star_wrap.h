/* A table in FROM as a sub-select of the columns that it shows. */
#ifndef REWRITE_STAR_WRAP_H
#define REWRITE_STAR_WRAP_H

#include "rewrite/star_range.h"

/* Whether nothing in the block needs what the sub-select would not have: the column itself, the row's
 * identity, the table's keys. Always false for a write's target. */
bool star_may_wrap(Star *s, const StarRange *range, const StarItem *item) MUST_USE;

/* Marks what only a sub-select can mend: a NATURAL JOIN that the new column would become a part of, a list of
 * column aliases that would count it. Where that cannot be, the former is left to rewrite/ambiguity.h, and
 * the statement's note says so of the latter. */
void star_mark_wraps(Star *s, StarRange *range);

/* Marks all that hide. False, with nothing marked: some may not be. */
bool star_mark_all(Star *s, StarRange *range) MUST_USE;

/* Makes the one item a sub-select without its tenant column, be that to be hidden or not. False: it may not
 * be. */
bool star_wrap_one(Star *s, const StarRange *range, StarItem *item) MUST_USE;

/* Records the edits for what has been marked. */
void star_wrap(Star *s, const StarRange *range);

#endif
