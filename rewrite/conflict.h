/* ON CONFLICT, once the keys hold the tenant. */
#ifndef REWRITE_CONFLICT_H
#define REWRITE_CONFLICT_H

#include "rewrite/context.h"

/* Of an INSERT, whatever its source: names the tenant in the conflict target, has it follow the foreign key
 * in DO UPDATE, and refuses what Citus does not take there. `table` is the target, of any kind. */
void conflict_rewrite(Rewrite *rw, const Block *block, const Table *table);

#endif
