/* How a verdict is reached: levels, join trees, columns and their classes.
 *
 * A level is what PostgreSQL plans as one join problem: a query block with the sub-selects that are pulled up
 * into it. Within a level, columns that are equal on every row that is read form a class, and a class may
 * have values (constants, parameters). A reference to a tenant table is scoped if the class of its tenant
 * column has one. What is not pulled up is a level of its own; the values of its output columns, where a
 * condition may be pushed down, are handed to it from above, and nothing is handed back: so does the planner,
 * and Citus prunes by what it finds out. */
#ifndef REWRITE_SCOPE_LEVEL_H
#define REWRITE_SCOPE_LEVEL_H

#include "rewrite/context.h"

#define SCOPE_NO_NODE (-1)
/* A CTE or a view counts as often as it is read, so that a short text may ask for any amount of work. A
 * statement is given up that has more columns than this, */
#define SCOPE_MAX_NODES 200000
/* takes more steps than this, names compared above all: tenths of a second; */
#define SCOPE_MAX_WORK 20000000
/* or more bytes. */
#define SCOPE_MAX_MEMORY (32 << 20)

typedef struct Level Level;
typedef struct Env Env;
typedef struct Scope Scope;

/* A constant or a parameter, as text that is the same for the same value: "$1", "5", "'x'". */
typedef struct Value {
    const char *key;
    bool literal;    /* the text of a literal took part */
    bool handed;     /* it comes from the query around */
    bool fractional; /* numeric or float: an integer column is converted to compare it */
} Value;

typedef struct ValueList {
    const Value **values;
    int n;
    int capacity;
} ValueList;

/* A column of something in FROM; a member of a class (union-find). */
typedef struct ColumnNode {
    int up;           /* towards the root of its class; itself for the root */
    int rel;          /* whose column it is; -1 for none in particular */
    ValueList values; /* of the root */
    ValueList own;    /* of this column alone, as `= ANY` gives them: PostgreSQL takes it for no equality */
    ValueList shared; /* of the root of a `plain` level: what columns of the class have of their own */
    bool own_is_implied;
    bool loose;            /* stands in a condition that binds nothing, such as an OR */
    const char *loose_why; /* in words; NULL */
    bool ignored;          /* compared in the condition of an outer join that says nothing of it */
    bool in_or;            /* in an OR, or compared with several values: Citus then does not prune by `own` */
    const Value *fixed;    /* it is this constant, in what refers to it from other levels, too; NULL */
} ColumnNode;

/* a = b, or a = value, or (neither b nor value) a condition that a NULL in `a` does not pass. */
typedef struct Pred {
    int a;
    int b;
    const Value *value;
    bool own;     /* the value is not one of the class */
    bool flipped; /* the value is written first: in an OR, not the same condition */
} Pred;

typedef struct PredList {
    Pred *preds;
    int n;
    int capacity;
} PredList;

typedef enum TreeKind {
    TREE_REL,
    TREE_FROM, /* items, inner-joined, under `preds` */
    TREE_LEFT, /* items[0] LEFT JOIN items[1] ON preds */
    TREE_FULL,
    TREE_ANTI, /* NOT EXISTS: items[0], preds; stands beside what it is correlated with */
} TreeKind;

/* The relations below a node are numbered lo .. hi-1. */
typedef struct Tree {
    TreeKind kind;
    int lo, hi;
    struct Tree **items;
    int nitems;
    int capacity;
    PredList preds;
    bool never;  /* the condition is not true of any row, as constants make out */
    bool broken; /* the same, where Citus does not understand it */
} Tree;

/* Columns by name, in order: of a table, a sub-select, a join. */
typedef struct Columns {
    const char **names;
    int *nodes;
    int n;
    int capacity;
    bool open;  /* there may be more that are not known */
    bool grows; /* a column that is asked for by qualified name is one of relation `rel`, then */
    int rel;
    const char *absent; /* a tenant column that the table does not have yet */
    int absent_node;
} Columns;

/* Something with a name in FROM. */
typedef struct Item {
    const char *schema; /* of a table without alias */
    const char *name;
    const Columns *columns;
} Item;

/* The names that a block's expressions see. */
struct Env {
    Level *level;
    const Block *block;
    const Names *names;
    Env *outer;            /* NULL at the top */
    bool *reached_outside; /* set when a name is found in `outer`; may be NULL */
    bool closed;           /* what is found in `outer` is not to be equated with anything now */
    int first_rel;         /* of the block's FROM */
    int outer_rel;         /* of the innermost outer join around the item that is being added; -1 outside */
    Item *items;
    int nitems, item_capacity;
    const Columns **visible; /* for unqualified names, one per FROM item */
    int nvisible, visible_capacity;
};

/* A reference to a tenant table. */
typedef struct Ref {
    const Table *table;
    const char *alias; /* as columns of it are qualified */
    Level *level;
    int node; /* its tenant column; SCOPE_NO_NODE for an INSERT's target */
    const Columns *columns;
    ValueList values;    /* filled by solving */
    bool none;           /* no row of it can count: Citus prunes all of its shards */
    const char *refused; /* why it counts as unscoped whatever its values are; NULL */
    const char *reason;  /* why not, if something better is known than that nothing binds it */
} Ref;

typedef struct Child {
    Level *level;
    const int *nodes; /* in the parent, for each output of the child; NULL: nothing is handed down */
} Child;

typedef struct Implication {
    int outer, inner;
} Implication;

/* Within the relations lo .. hi-1, where `inner` is. */
typedef struct Handover {
    int outer, inner;
    int lo, hi;
} Handover;

struct Level {
    Scope *scope;
    const Block *block;
    Env *env;
    Level *left, *right; /* of a set operation */
    Tree *root;
    ColumnNode *nodes;
    int nnodes, node_capacity;
    int nrels;
    bool outer_joins; /* written as such */
    bool dead;        /* not planned at all, for no row of it passes what is around it */
    bool plain; /* a SELECT of tables that are inner-joined, without sub-selects: Citus plans it join by join,
                   so that what prunes one table prunes those that are joined to it */
    Handover *implications;
    int nimplications, implication_capacity;
    Child *children;
    int nchildren, child_capacity;
    Columns outputs;
};

/* A CTE of the statement. */
typedef struct CteState {
    const Cte *cte;
    int references;
    Level *level; /* where it is a level of its own */
} CteState;

/* What can be said of a reference only when classes are known. */
typedef struct Pending {
    Ref *ref;
    Level *source; /* INSERT … SELECT: the tenant is the source's column `output` */
    int output;
    int first, last;  /* the source's references are first .. last-1 */
    const Value *set; /* UPDATE: the tenant is set to this; NULL for something that is not known */
} Pending;

struct Scope {
    Rewrite *rw;
    Pending *pending;
    int npending, pending_capacity;
    Ref **refs;
    int nrefs, ref_capacity;
    CteState *ctes;
    int nctes, cte_capacity;
    bool mixed; /* names tenant tables and local ones */
    bool empty; /* some level's conditions contradict each other, or may */
    int nparts; /* levels that read tenant tables */
    int nnodes; /* of all levels */
    int64_t work;
    int64_t memory;
    bool gave_up;
};

/* Counts steps, or bytes; false if there were too many, so that what is asked for need not be done: no answer
 * counts then. */
bool scope_spend(Scope *scope, int64_t work);
bool scope_take(Scope *scope, size_t bytes);

Ref *scope_add_ref(Level *level, const Table *table, const char *alias, int node);

/* Makes room for one more element; returns the array, which may have moved. */
void *scope_grow(Scope *scope, void *array, int n, int *capacity, size_t size) MUST_USE;

/* ---- scope_classes.c ---- */
int scope_new_node(Level *level, int rel) MUST_USE;
int scope_class(Level *level, int node) MUST_USE;
void scope_union(Level *level, int a, int b);
void scope_bind(Level *level, int node, const Value *value);
/* Where `outer` has a value, `inner` has it, too, and what is equal to it among the relations lo .. hi-1. */
void scope_imply(Level *level, int outer, int inner, int lo, int hi);
bool scope_has_value(Scope *scope, const ValueList *list, const Value *value) MUST_USE;
void scope_add_value(Scope *scope, ValueList *list, const Value *value);
enum {
    SCOPE_REL_NEVER = 1,  /* no row of the relation counts */
    SCOPE_REL_BROKEN = 2, /* the same, where Citus does not understand it */
};
/* The classes of this level alone; rels[nrels] gets the states of its relations. */
void scope_find_classes(Level *level, unsigned char *rels);

/* ---- scope_solve.c ---- */
/* Finds the classes of the level and of those below it, and the values of their references. */
void scope_solve(Level *level);
/* The values that an output column has on each row; empty for an unknown one. */
ValueList scope_output_values(Level *level, int output) MUST_USE;

/* ---- scope_value.c ---- */
/* NULL if the expression is not fixed by constants and parameters. */
const Value *scope_value(Scope *scope, const Expr *expr) MUST_USE;
/* An integer literal in its shortest form, so that two of different text are different. */
bool scope_is_integer(const Value *value) MUST_USE;

/* ---- scope_fold.c ---- */
typedef enum Truth { TRUTH_OPEN, TRUTH_TRUE, TRUTH_FALSE, TRUTH_NULL } Truth;
/* What the planner makes of a condition without looking at a row; parameters stay open. */
Truth scope_truth(Env *env, const Expr *expr) MUST_USE;
/* As a condition of rows: whether it lets none pass. */
bool scope_never(Env *env, const Expr *expr) MUST_USE;

/* ---- scope_env.c ---- */
Env *scope_new_env(Level *level, const Block *block, const Names *names, Env *outer) MUST_USE;
void scope_add_item(Env *env, const char *schema, const char *name, const Columns *columns);
void scope_add_visible(Env *env, const Columns *columns);
void scope_add_column(Scope *scope, Columns *columns, const char *name, int node);
/* A column's node; SCOPE_NO_NODE for one that is unknown, ambiguous, or of another level. */
int scope_lookup(Env *env, const Name *qualifier, const char *column) MUST_USE;
int scope_find_column(const Columns *columns, const char *name) MUST_USE;
/* The node of an expression that is a plain column. */
int scope_expr_node(Env *env, const Expr *expr) MUST_USE;
/* The value of an expression: as scope_value, or of a column of a query around this one that is a constant.
 */
const Value *scope_expr_value(Env *env, const Expr *expr) MUST_USE;
/* Names and nodes of a SELECT list. `whole`: constants are columns with a value. */
void scope_outputs(Env *env, const Target *targets, int ntargets, bool whole, Columns *outputs);

/* ---- scope_tree.c ---- */
/* Builds the level of a query block, and those below it. `outer` is what its columns may also mean. */
Level *scope_build(Scope *scope, const Block *block, const Names *names, Env *outer) MUST_USE;
void scope_add_child(Level *level, Level *child, const int *nodes);
/* A relation of which nothing is known but the columns' names; nodes of its own for each. */
Tree *scope_new_rel(Level *level, int *rel) MUST_USE;
/* A table, as FROM or as the target of UPDATE, DELETE, MERGE names it. *ref: NULL if it is no tenant table.
 */
Tree *scope_table(Env *env, const FromItem *item, const Table *table, Columns *columns, Ref **ref) MUST_USE;
Tree *scope_new_tree(Scope *scope, TreeKind kind, int lo) MUST_USE;
void scope_add_tree(Scope *scope, Tree *tree, Tree *item);
/* Adds one thing that stands in FROM, and what it names to `env`. */
Tree *scope_from_item(Env *env, const FromItem *item, bool outer_joined, const Columns **columns) MUST_USE;
Tree *scope_subquery(Env *env, const Block *block, const Names *names, Env *outer, bool outer_joined,
                     Columns *columns) MUST_USE;
/* All that stands in a block's FROM and WHERE. */
void scope_fill_from(Env *env, Tree *tree, bool outer_joined);

/* ---- scope_cte.c ---- */
/* Counts references, so that it is known which CTEs are inlined. */
void scope_count_ctes(Scope *scope, const Statement *stmt);
/* Levels for the CTEs of a block that are not. */
void scope_build_ctes(Env *env);
CteState *scope_cte(Scope *scope, const Cte *cte) MUST_USE;
bool scope_cte_is_inlined(const Names *names, const CteState *state, const Block *from) MUST_USE;

/* ---- scope_write.c ---- */
/* The level of an INSERT, UPDATE, DELETE or MERGE. */
void scope_build_write(Env *env);
/* When all is solved: the tenants that depend on it. */
void scope_settle(Scope *scope);

/* ---- scope_kinds.c ---- */
/* Whether the statement reads tables of this kind and tenant tables. */
bool scope_is_mixed(const Scope *scope, TableKind kind) MUST_USE;
/* A table of the kind that the block reads, through views and CTEs too; NULL if there is none. */
const Table *scope_reads(Scope *scope, const Names *names, const Block *block, TableKind kind) MUST_USE;
/* Whether the block reads local tables, and no others that Citus has: it runs that by itself, ahead, and
 * nothing is known of the rows in what is around it. */
bool scope_runs_ahead(Scope *scope, const Names *names, const Block *block) MUST_USE;
/* Why Citus does not route an INSERT … SELECT whose rows' tenant is the output `output`, although that is
 * one; NULL if it does. */
const char *scope_insert_detour(Scope *scope, const Table *table, const Block *insert, const Level *source,
                                int output) MUST_USE;

/* ---- scope_quals.c ---- */
/* Adds the conjuncts of a condition to `tree`; sub-selects that PostgreSQL turns into joins become part of
 * it. With pull_up false none does. */
void scope_add_quals(Env *env, const Expr *expr, Tree *tree, bool pull_up);
void scope_add_pred(Scope *scope, PredList *list, Pred pred);
/* Sub-selects of an expression become levels of their own. */
void scope_add_sublinks(Env *env, const Expr *expr);

/* ---- scope_block.c ---- */
/* Whether PostgreSQL pulls this sub-select up into the query around it. */
bool scope_is_simple(const Names *names, const Block *block) MUST_USE;
/* Whether a condition on this output column may be evaluated inside the block. */
bool scope_may_push(Level *level, int output) MUST_USE;
/* Whether it calls what is volatile, or not known. */
bool scope_is_volatile(const Names *names, const Block *block) MUST_USE;
/* Whether EXISTS (block) becomes a semi-join. */
bool scope_exists_is_join(const Names *names, const Block *block) MUST_USE;

#endif
