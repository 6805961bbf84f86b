/* Edits of what other rewrites may have taken to another place. */
#ifndef REWRITE_AMBIGUITY_EDIT_H
#define REWRITE_AMBIGUITY_EDIT_H

#include "rewrite/ambiguity_columns.h"

/* Puts `text` in the place of the range, which may be empty: where it stands, unless that is taken out, and
 * in each copy of it that the statement's edits make. */
void ambiguity_replace(Ambiguity *a, Span range, const char *text);

#endif
