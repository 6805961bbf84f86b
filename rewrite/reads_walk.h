/* What the files that rewrite reads share while they walk over one statement. */
#ifndef REWRITE_READS_WALK_H
#define REWRITE_READS_WALK_H

#include "rewrite/reads.h"
#include "rewrite/reads_rows.h"

/* Where a condition may be added: to WHERE, or to the ON of a join. */
typedef struct ReadsPlace {
    Span condition; /* that is there; empty: none, and */
    uint32_t where; /* the offset for " WHERE …" */
    bool is_or;     /* it must be put in parentheses */
    bool of_join;
    const char *applied;  /* "a = b AND c = d": what is sent; NULL */
    const char *proposed; /* what is not sent; NULL */
    struct ReadsPlace *next;
} ReadsPlace;

/* A reference to a tenant table, which the session's tenant may be demanded of. */
typedef struct ReadsFilter {
    const ReadsRow *row;
    const char *alias; /* as columns of it are qualified */
    ReadsPlace *place; /* NULL: a condition would change what the statement means */
    const char *name;  /* of its tenant column, as written there; NULL: it cannot be */
} ReadsFilter;

/* a IN (SELECT x …) that becomes (a, name) IN (SELECT x, inner_name …). */
typedef struct ReadsPair {
    uint32_t start, end; /* of a */
    uint32_t inner;      /* behind x */
    const char *name, *inner_name;
    bool proposed; /* not sent */
    struct ReadsPair *next;
} ReadsPair;

/* Such an expression, which is true where it stands: what can be named there, and what holds. */
typedef struct ReadsIn {
    const Expr *expr;
    const ReadsEnv *env;
    const ReadsFacts *facts;
    int from;
} ReadsIn;

/* If `from` has a value, so has `to`. */
typedef struct ReadsImplication {
    int from, to;
} ReadsImplication;

/* A CTE whose block has been walked over. */
typedef struct ReadsCte {
    const Cte *cte;
    const ReadsColumns *columns;
} ReadsCte;

struct ReadsWalk {
    Rewrite *rw;
    const Names *names; /* of the block at hand: those of a view differ */
    bool looking;       /* a view's definition is looked at: nothing is added there */
    bool applies;       /* conditions may be sent, not only proposed */
    bool filters;       /* so may filters */
    bool gave_up;
    int work;
    int ncells, cell_capacity;
    bool *has_value;         /* per cell: it is equal to a value */
    const ReadsRow **row_of; /* per cell */
    int *up;                 /* per cell: towards the root of its class, if `stamp` is `now` */
    int *hub;
    unsigned *stamp;
    unsigned now;
    int stamp_capacity;
    ReadsPlace *places, *last_place;
    ReadsPair *pairs;
    const ReadsIn *in; /* whose sub-select is walked over next; NULL */
    ReadsCte *ctes;
    int nctes, cte_capacity;
    ReadsFilter *candidates;
    int ncandidates, candidate_capacity;
    ReadsImplication *implications;
    int nimplications, implication_capacity;
    const Table **proposed_tables;
    int nproposed, proposed_capacity;
};

/* Cells from .. to - 1. */
typedef struct Cells {
    int from, to;
} Cells;

/* ---- reads_walk.c ---- */
/* All blocks of a statement. */
void reads_walk(ReadsWalk *w, const Statement *stmt);
/* A query block with all in it; its columns are added to `columns`. What holds on each of its rows is added
 * to `facts`, unless that is NULL. */
void reads_block(ReadsWalk *w, const Block *block, const ReadsEnv *outer, ReadsColumns *columns,
                 ReadsFacts *facts);
/* The sub-selects of a condition that is true where it stands, under the facts from number `from` on. */
void reads_true_sublinks(ReadsWalk *w, const ReadsEnv *env, const Expr *condition, const ReadsFacts *facts,
                         int from);
/* The sub-selects of an expression. */
void reads_sublinks(ReadsWalk *w, const ReadsEnv *env, const Expr *expr);

/* ---- reads_from.c ---- */
/* What an item of FROM names is added to `space`, what holds on each of its rows to `facts`. `block` is where
 * it stands, NULL for the target of a write; it sees `lateral`, or `outer` alone. Rows of tables in it are
 * filtered at `place`, or, those that an outer join may leave out, in its ON; NULL: nowhere. */
typedef struct ReadsFrom {
    const Block *block;
    const ReadsEnv *outer;
    int first_cell; /* of the block's */
    ReadsFacts *facts;
} ReadsFrom;
void reads_item(ReadsWalk *w, const ReadsFrom *from, const FromItem *item, const ReadsEnv *lateral,
                ReadsPlace *place, ReadsSpace *space);
/* A place for conditions; NULL where the text has none, or nothing may be added. */
ReadsPlace *reads_new_place(ReadsWalk *w, Span condition, uint32_t where, const Expr *expr) MUST_USE;
/* When all that can be named at a place is known: how its candidates for a filter are written. */
void reads_name_filters(ReadsWalk *w, const ReadsPlace *place, const ReadsEnv *env);

/* ---- reads_proof.c ---- */
/* Whether each row of the table has its tenant, so that a condition on it hides none. */
bool reads_has_tenant(const Table *table) MUST_USE;
/* Adds to the place the equalities of tenants that follow from the facts from number `from` on, and to the
 * facts. Rows whose cells are all before `first_cell` stand around the block: they are not paired with each
 * other. */
void reads_join(ReadsWalk *w, ReadsPlace *place, const ReadsEnv *env, ReadsFacts *facts, int from,
                int first_cell);
/* Whether the rows have one tenant by these facts, which do not say so themselves. *proposed: it cannot be
 * sent. */
bool reads_same_tenant(ReadsWalk *w, const ReadsFacts *facts, const ReadsRow *a, const ReadsRow *b,
                       bool *proposed) MUST_USE;
/* Notes which of the cells `bound` have a value by these facts, and which have one if another has. */
void reads_note_values(ReadsWalk *w, const ReadsFacts *facts, int from, Cells bound);
void reads_imply(ReadsWalk *w, int from, int to);

/* ---- reads_in.c ---- */
/* Whether it is a column IN a sub-select that pairs can be made of. */
bool reads_is_in(ReadsWalk *w, const Expr *expr) MUST_USE;
/* Makes pairs of it, if the rows belong together. `space` and `inner`: of the sub-select. */
void reads_in(ReadsWalk *w, const ReadsIn *in, const ReadsSpace *space, const ReadsFacts *inner);

/* ---- reads_edit.c ---- */
void reads_emit(ReadsWalk *w, Reads *reads);

#endif
