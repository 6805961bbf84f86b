/* SET: the assignments of an UPDATE, of a MERGE action, of ON CONFLICT DO UPDATE. */
#ifndef REWRITE_SET_H
#define REWRITE_SET_H

#include "rewrite/context.h"

typedef struct SetList {
    const Block *block; /* the statement: its target, its FROM */
    const Target *targets;
    int ntargets;
    uint32_t end;              /* behind the last assignment; 0: unknown */
    const char *row;           /* what expressions call the row that is set; quoted */
    const Expr *conditions[2]; /* they hold for each row that is set; NULL without */
    bool same_tenant; /* ON CONFLICT: the row that is there has the tenant of the one that was to be inserted
                       */
} SetList;

SetList set_of_update(Rewrite *rw, const Block *update) MUST_USE;
SetList set_of_action(Rewrite *rw, const Block *merge, const Block *action) MUST_USE;
SetList set_of_conflict(Rewrite *rw, const Block *insert) MUST_USE;

/* Which target sets the column; -1: none. */
int set_index(const SetList *set, const char *column) MUST_USE;

typedef enum SetForm {
    SET_SINGLE,  /* column = value */
    SET_ROW,     /* (a, b) = (x, y), (a, b) = ROW (x, y) */
    SET_SELECT,  /* (a, b) = (SELECT …) */
    SET_UNKNOWN, /* something else, or nobody knows where it stands */
} SetForm;

typedef struct SetValue {
    SetForm form;
    int first, n;         /* the targets that are set together */
    Span whole;           /* "column = value", "(a, b) = …" */
    Span value;           /* SINGLE, ROW: of this target's value; SELECT: of the sub-select and its "(" ")" */
    uint32_t columns_end; /* ROW, SELECT: of the ")" behind the columns */
} SetValue;

SetValue set_value(const Rewrite *rw, const SetList *set, int index) MUST_USE;

/* What the value is computed from: its expression, or the sub-select that gives several. */
const Expr *set_source(const Rewrite *rw, const SetList *set, int index) MUST_USE;

/* "(c1, c2, …)": names for the columns of a sub-select that gives several values. */
const char *set_made_columns(Rewrite *rw, const SetValue *value) MUST_USE;

/* Whether the expression is a column of the row that is set. */
bool set_is_own(const SetList *set, const Expr *expr, const char *column) MUST_USE;

/* Whether both are one parameter, equal literals, or one column of a joined table. Compares literals
 * (rw->literals_matter). */
bool set_same_value(Rewrite *rw, const Expr *a, const Expr *b) MUST_USE;

/* Calls `visit` for each "left = right" that the conditions say, both ways round, until it returns true. */
typedef bool SetEquality(const Expr *left, const Expr *right, void *arg);
bool set_equalities(const Rewrite *rw, const SetList *set, SetEquality *visit, void *arg);

/* What a SET does with the tenant of the row. */
typedef enum SetTenant {
    SET_TENANT_NOT,     /* it does not name it */
    SET_TENANT_ITSELF,  /* store_id = store_id */
    SET_TENANT_EQUAL,   /* to what a condition says that it is, by comparing texts */
    SET_TENANT_ANOTHER, /* to what may be another value */
} SetTenant;

/* `index`: of the target that sets it, unless SET_TENANT_NOT. */
SetTenant set_tenant(Rewrite *rw, const SetList *set, const Table *table, int *index) MUST_USE;

/* Whether the conditions say that a column of the row is `value`. Compares literals (rw->literals_matter). */
bool set_condition_says(Rewrite *rw, const SetList *set, const char *column, const Expr *value) MUST_USE;

#endif
