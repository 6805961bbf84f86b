/* MERGE into a table whose tenant column the application does not know. */
#ifndef REWRITE_MERGE_H
#define REWRITE_MERGE_H

#include "rewrite/context.h"

/* Of any table that has a tenant: rows that are inserted get theirs, that of rows that are set follows. */
void merge_rewrite(Rewrite *rw, const Block *merge, const Table *table);

#endif
