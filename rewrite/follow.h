/* A row that gets another parent gets that one's tenant: SET of the foreign key, stages derive and keyed. */
#ifndef REWRITE_FOLLOW_H
#define REWRITE_FOLLOW_H

#include "rewrite/insert_default.h"
#include "rewrite/set.h"
#include "rewrite/tenant_expr.h"

typedef struct Follow {
    const SetList *set;
    const Table *table;
    const char *why;       /* not NULL: it cannot be done */
    bool keeps;            /* the row is left without a parent, and keeps its tenant */
    const char *direct;    /* the tenant, where a row of FROM has it; else: */
    TenantSource *sources; /* one for each column of the key */
    bool in_row;           /* some source reads columns of the statement */
    bool may_be_null;      /* some column of the key may become NULL */
    int once;              /* the target whose value must be computed once; -1 */
    const char *made;      /* then: what the text calls it */
} Follow;

/* Whether the SET moves rows to other parents without saying what their tenant is. `table` is in stage derive
 * or later. */
bool follow_moves(const SetList *set, const Table *table) MUST_USE;

/* Works out how the tenant follows; edits nothing. */
Follow follow_plan(Rewrite *rw, const SetList *set, const Table *table) MUST_USE;

/* Inserts the new tenant's value, for another part of the statement that reads the row as it was. Its own
 * sources must be stable. */
void follow_put_again(Rewrite *rw, uint32_t offset, const Follow *follow);

/* Adds the assignment. Demands `why` NULL and `keeps` false. */
void follow_edit(Rewrite *rw, const Follow *follow);

#endif
