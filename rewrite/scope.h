/* Verdicts: which statements stay within one tenant. */
#ifndef REWRITE_SCOPE_H
#define REWRITE_SCOPE_H

#include "rewrite/context.h"

/* Each fills verdict, unscoped, reason and suggestion of rw->decision. */

/* SELECT, INSERT, UPDATE, DELETE, MERGE. */
void scope_judge_query(Rewrite *rw, const Statement *stmt);
/* COPY of a table or of a query. */
void scope_judge_copy(Rewrite *rw, const Statement *stmt);
/* What acts on whole tables: TRUNCATE, LOCK, DDL. */
void scope_judge_whole_tables(Rewrite *rw, const Statement *stmt);

#endif
