/* Does a statement change what others find their tenant by? */
#ifndef REWRITE_MOVES_H
#define REWRITE_MOVES_H

#include "rewrite/context.h"

/* Whether it may change the tenant, or a referenced key, of a row that other tables reference: what is
 * remembered of such rows is to be forgotten. */
bool moves_parents(Rewrite *rw, const Statement *stmt) MUST_USE;

#endif
