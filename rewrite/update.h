/* UPDATE, and the other places where SET may give a row another parent or another tenant. */
#ifndef REWRITE_UPDATE_H
#define REWRITE_UPDATE_H

#include "rewrite/set.h"

/* An UPDATE of any table that has a tenant: the tenant of its rows follows their parent, that of their
 * children follows theirs. */
void update_rewrite(Rewrite *rw, const Block *update, const Table *table);

/* The same for a SET of another kind. */
void update_rewrite_set(Rewrite *rw, const SetList *set, const Table *table);

#endif
