/* Writes to tables under migration: finds them, and hands each to its family. */
#ifndef REWRITE_WRITE_H
#define REWRITE_WRITE_H

#include "rewrite/context.h"

/* All INSERT, UPDATE and MERGE blocks of a statement, wherever they stand. */
void write_rewrite_blocks(Rewrite *rw, const Statement *stmt);
/* COPY … FROM, and the blocks of COPY (query). */
void write_rewrite_copy(Rewrite *rw, const Statement *stmt);

#endif
