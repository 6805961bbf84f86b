/* One INSERT … SELECT, worked out before anything is edited. */
#ifndef REWRITE_INSERT_SELECT_PLAN_H
#define REWRITE_INSERT_SELECT_PLAN_H

#include "rewrite/insert_default.h"
#include "rewrite/outputs.h"
#include "rewrite/tenant_expr.h"
#include "rewrite/trace.h"

typedef struct SelectPlan {
    Rewrite *rw;
    const Block *block;
    const Table *table;
    const ForeignKey *fk; /* table->path.steps[0] */
    const Block *source;
    Outputs outputs;         /* of the source */
    int width;               /* columns that it fills */
    const Column **columns;  /* these; NULL for one that is assigned in part */
    int *positions;          /* of the key's columns among them; -1: not filled, then: */
    InsertDefault *defaults; /* of the key's columns */
    bool orphan;             /* the key is NULL for certain on all rows */
    bool falls_back;         /* it may be on some, and the session may have their tenant */
    const char *why;         /* not NULL: it cannot be rewritten */
    bool errs;               /* because the server will refuse it */
} SelectPlan;

/* Works out all that does not depend on the form. False: there is nothing to add. */
bool insert_select_plan(SelectPlan *plan, Rewrite *rw, const Block *block, const Table *table) MUST_USE;

/* Whether values may be found out ahead of the statement. */
bool insert_select_is_alone(const Rewrite *rw, const Block *block) MUST_USE;

/* The tenant as one more column of each SELECT's list, found in its FROM or by a key that stands in the list.
 * False, with nothing edited, if some SELECT does not allow it. */
bool insert_select_append(SelectPlan *plan) MUST_USE;

/* The SELECT as a sub-select, whose rows are given the tenants of their parents. False, with nothing edited
 * and plan->why set, if that cannot be. */
bool insert_select_wrap(SelectPlan *plan) MUST_USE;

#endif
