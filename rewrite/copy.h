/* COPY … FROM STDIN into a table whose tenant column the application does not know. */
#ifndef REWRITE_COPY_H
#define REWRITE_COPY_H

#include "rewrite/context.h"

/* Adds the column to the list, which a COPY without one gets, and plans where the rows' tenants come from; or
 * says why not. Nothing happens for a table that is not under migration. */
void copy_rewrite(Rewrite *rw, const CopyFacts *copy, const Table *table);

#endif
