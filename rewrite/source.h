/* The tenant of a row that a statement takes from other rows: of the parent, or of a sibling, in its FROM. */
#ifndef REWRITE_SOURCE_H
#define REWRITE_SOURCE_H

#include "rewrite/context.h"

typedef struct Source {
    const FromItem *item; /* of the statement's FROM */
    const char *column;   /* the tenant, as that item calls it */
    const char *text;     /* "o.store_id" */
} Source;

/* Finds the item of block->from that gives `keys`, the values for the columns of table->path.steps[0], and
 * with them their tenant: the parent itself, a table whose rows have the same parent and a tenant that is
 * sure, or a sub-select on one of these that passes both on; or a CTE that writes the parent and returns
 * both. False if there is none, or what it says may be changed by another part of the statement. */
bool source_find(Rewrite *rw, const Block *block, const Table *table, const Expr *const *keys,
                 Source *source) MUST_USE;

#endif
