/* Names that a new tenant column would change the meaning of. */
#ifndef REWRITE_AMBIGUITY_H
#define REWRITE_AMBIGUITY_H

#include "rewrite/context.h"

/* Has the names and joins of the statement, and of those inside it, mean what they meant before tables under
 * migration got their tenant column. Called when all other edits of the statement are recorded. `fixed`:
 * some of them, other than those for *, name columns of FROM items. */
void ambiguity_rewrite(Rewrite *rw, const Statement *stmt, bool fixed);

#endif
