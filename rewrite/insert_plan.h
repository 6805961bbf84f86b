/* One INSERT … VALUES, worked out before anything is edited: it is rewritten whole or not at all. */
#ifndef REWRITE_INSERT_PLAN_H
#define REWRITE_INSERT_PLAN_H

#include "rewrite/cell.h"
#include "rewrite/insert_default.h"
#include "rewrite/tenant_expr.h"

/* The value of one column of a row's foreign key. */
typedef struct KeyPart {
    CellUse use;       /* CELL_COPY, CELL_ONCE, CELL_UNKNOWN or CELL_SET */
    bool null;         /* it is NULL for certain: the row has no parent */
    const Cell *cell;  /* NULL where the default counts */
    const Expr *expr;  /* the cell's or the default's; NULL for a default of none */
    TenantSource from; /* its text */
} KeyPart;

/* How a row that does not name its tenant gets it. */
typedef enum RowTenant {
    ROW_BY_KEY,     /* from the parent that the foreign key names */
    ROW_BY_SESSION, /* there is no parent to ask */
    ROW_BY_TEXT,    /* from what the statement itself says of its parent (rewrite/chain.h) */
} RowTenant;

/* What is put in. */
typedef enum InsertForm {
    INSERT_SUBSELECTS, /* VALUES, with sub-selects on the parent */
    INSERT_SLOTS,      /* VALUES, with values known before the statement is sent */
    INSERT_SELECT,     /* INSERT … SELECT */
} InsertForm;

typedef struct InsertPlan {
    Rewrite *rw;
    const Block *block;
    const Table *table;
    const ForeignKey *fk; /* table->path.steps[0] */
    bool given;           /* the statement names the tenant: no row needs another */
    bool slots;           /* values may be found out ahead of the statement */
    bool foreseen;        /* each key can be: its tenant is a slot */
    InsertForm form;
    int nrows;               /* DEFAULT VALUES is one row without cells */
    int ncells;              /* of each row */
    const Column **columns;  /* that the cells fill */
    int *positions;          /* of the key's columns among them; -1: not filled */
    InsertDefault *defaults; /* of the key's columns */
    KeyPart *parts;          /* for each row and column of the key */
    RowTenant *tenants;      /* for each row */
    struct Chain *chain;     /* of those that are ROW_BY_TEXT */
    const char *why;         /* not NULL: it cannot be rewritten */
    bool errs;               /* because the server will refuse it */
} InsertPlan;

/* Works out everything but what it reads from the text again. `plan->why` says what stands in the way. */
void insert_plan(InsertPlan *plan, Rewrite *rw, const Block *block, const Table *table);

const KeyPart *insert_plan_part(const InsertPlan *plan, int row, int k) MUST_USE;

/* Whether a NULL tenant may be sent where nobody knows it. */
bool insert_plan_nullable(const InsertPlan *plan) MUST_USE;

/* The slot of a row's tenant. */
int insert_plan_slot(InsertPlan *plan, int row) MUST_USE;

/* Whether a row whose parent is asked may turn out to have none, and the session to have its tenant. */
bool insert_plan_falls_back(const InsertPlan *plan, int row) MUST_USE;

/* The slot for it, which is NULL where the session has none after all. */
int insert_plan_fallback(InsertPlan *plan) MUST_USE;

/* Around the SQL that asks: "COALESCE(" and ", <the session's>)"; nothing where the row does not fall back.
 */
void insert_plan_open(InsertPlan *plan, int row, uint32_t offset);
void insert_plan_close(InsertPlan *plan, int row, uint32_t offset);

/* "a, b, c", quoted where needed. */
void insert_plan_put_names(Buf *sql, const char *const *names, int n);

/* The edits of each form. False, with nothing edited, if the text does not allow them; then plan->why says
 * why. */
bool insert_values_edit(InsertPlan *plan) MUST_USE;
bool insert_select_form_edit(InsertPlan *plan) MUST_USE;

#endif
