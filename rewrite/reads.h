/* Reads: what is added to a statement so that it stays within one tenant, and what is proposed.
 *
 * `join`: where rows of two tenant tables belong together by a foreign key that holds the tenant, the
 * equality of their tenants follows and is added; the result stays the same, row by row. `filter`: where the
 * session's tenant is known, it is demanded of each reference to a tenant table that has no value. */
#ifndef REWRITE_READS_H
#define REWRITE_READS_H

#include "rewrite/context.h"

/* Stands for the session's tenant in what is judged: no text has that many parameters of its own. */
#define READS_SESSION_PARAMETER "$65535"

/* A reference to a tenant table. */
typedef struct ReadsReference {
    const Table *table;
    const char *alias;
    const char *name; /* of its tenant column, where a condition on it may be added; NULL: nowhere */
    bool of_join;     /* that is the ON of an outer join */
} ReadsReference;

typedef struct Reads {
    int first_edit;    /* that is about what the statement reads, in rw->edits */
    EditList proposed; /* all equalities of tenants, if there are some that are not applied */
    const char *text;  /* those that are not applied: "add AND l.store_id = o.store_id"; NULL: none */
    const Table **tables;
    int ntables; /* that they are about */
    const ReadsReference *references;
    int nreferences;
} Reads;

/* Adds to rw->edits and rw->proposals. */
void reads_rewrite(Rewrite *rw, const Statement *stmt, Reads *reads);

/* Has the statement judged as it is sent. If it is not of one tenant and what is proposed helps, the
 * suggestion says so. */
typedef void ReadsJudge(Rewrite *rw, const Statement *stmt);
void reads_judge(Rewrite *rw, const Statement *stmt, const Reads *reads, ReadsJudge *judge);

#endif
