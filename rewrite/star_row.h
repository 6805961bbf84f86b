/* Whole rows, which show the hidden column. */
#ifndef REWRITE_STAR_ROW_H
#define REWRITE_STAR_ROW_H

#include "rewrite/star_range.h"

/* Notes where a whole row shows the hidden column. */
void star_note_rows(Star *s, const StarRange *range);

#endif
