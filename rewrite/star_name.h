/* Names that the hidden column would take part in. */
#ifndef REWRITE_STAR_NAME_H
#define REWRITE_STAR_NAME_H

#include "rewrite/star_range.h"

/* In a block of several items, the tenant column's name alone means the item that had it before: it is
 * qualified, lest it become ambiguous. And notes where a whole row shows the hidden column. */
void star_names(Star *s, const StarRange *range);

#endif
