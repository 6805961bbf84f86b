/* A statement as Citus's planner sees it: queries, what stands in their FROM, and which columns are equal.
 *
 * Unlike the levels by which the verdict is reached (rewrite/scope_level.h), nothing is pulled up here: Citus
 * plans the query as it is written, sub-select by sub-select. What holds for all of it is one relation of
 * equality between columns, of any query and across queries: by conjuncts of WHERE and ON, of outer joins
 * too, and through the outputs of sub-selects. It says which tenant tables are joined on their tenants. */
#ifndef REWRITE_CITUS_TREE_H
#define REWRITE_CITUS_TREE_H

#include "rewrite/scope_level.h"
#include "rewrite/volatility.h"

typedef struct CitusQuery CitusQuery;
typedef struct CitusRel CitusRel;
typedef struct CitusTree CitusTree;

typedef enum CitusRelKind {
    CITUS_REL_DISTRIBUTED, /* a tenant table */
    CITUS_REL_REFERENCE,
    CITUS_REL_LOCAL, /* also temporary and system tables, materialised views */
    CITUS_REL_QUERY, /* a sub-select, a view, an inlined CTE */
    CITUS_REL_CTE,   /* a CTE that is not inlined */
    CITUS_REL_VALUES,
    CITUS_REL_FUNCTION,
    CITUS_REL_OTHER, /* XMLTABLE and the like */
    CITUS_REL_ALIAS, /* no relation: a name for those of a join */
} CitusRelKind;

/* What an output or a column is: its place among the equal ones, and its type. */
typedef struct CitusColumn {
    const char *name; /* NULL: none that one could ask for */
    int node;         /* -1: it is equal to nothing that is known */
    const char *type; /* pg_type.typname; NULL */
} CitusColumn;

struct CitusRel {
    CitusRelKind kind;
    const char *schema; /* of a table without alias */
    const char *name;
    const Table *table;
    const FromItem *item; /* NULL for the target of a write */
    CitusQuery *query;    /* CITUS_REL_QUERY; of a CTE, the query that makes it */
    CitusQuery *owner;    /* in whose FROM it stands */
    CitusColumn *columns;
    int ncolumns;
    bool open;   /* there may be more columns */
    int tenant;  /* the node of the tenant column of a tenant table */
    bool result; /* Citus reads it first, by itself, and goes on with the rows */
    int lo, hi;  /* CITUS_REL_ALIAS: the relations of the join, in its owner */
};

/* Where a query stands in the one around it. */
typedef enum CitusPlace {
    CITUS_PLACE_TOP,
    CITUS_PLACE_FROM,
    CITUS_PLACE_ARM, /* of a set operation */
    CITUS_PLACE_WHERE,
    CITUS_PLACE_ON, /* of a join, of MERGE */
    CITUS_PLACE_HAVING,
    CITUS_PLACE_TARGET, /* SELECT list, SET */
    CITUS_PLACE_LIMIT,
    CITUS_PLACE_OTHER,
    CITUS_PLACE_CTE,
} CitusPlace;

struct CitusQuery {
    CitusTree *tree;
    const Block *block;
    const Names *names;
    CitusQuery *parent;    /* whose columns its expressions see, too; NULL */
    CitusQuery *container; /* in which it stands; NULL at the top */
    CitusPlace place;
    CitusRel **rels; /* FROM, the target of a write first */
    int nrels, rel_capacity;
    CitusQuery **subs; /* all that stand directly in it, but for CTEs */
    int nsubs, sub_capacity;
    CitusQuery **ctes; /* of its own WITH, not inlined */
    int nctes, cte_capacity;
    CitusRel **outer; /* of queries around it, that it refers to */
    int nouter, outer_capacity;
    CitusColumn *outputs;
    int noutputs, output_capacity;
    bool outputs_open;
    bool joined;     /* PostgreSQL makes it a part of the query around it, so that what binds that binds it */
    bool correlated; /* it refers to a query around it */
    bool sublinks;   /* a sub-select stands in one of its expressions */
    bool result;     /* as of CitusRel */
};

/* A column, in two relations of equality (union-find): `up`, which counts for joins, holds as far as a row of
 * both is there, and between the arms of a set operation; `bound_up` for every row that is read. */
typedef struct CitusNode {
    int up, bound_up;
    const Value *value; /* of the root by bound_up; NULL: it is bound to none */
} CitusNode;

/* Nodes: what binds `outer` binds `inner`, too, but not the other way round. */
typedef struct CitusImplied {
    int outer, inner;
} CitusImplied;

/* A condition, and the relations of its query whose rows it decides: lo .. hi-1. */
typedef struct CitusCondition {
    CitusQuery *query;
    int lo, hi;
} CitusCondition;

struct CitusTree {
    Rewrite *rw;
    Scope scope; /* for values */
    bool inline_ctes;
    bool inlined; /* some CTE was */
    CitusNode *nodes;
    int nnodes, node_capacity;
    CitusImplied *implied;
    int nimplied, implied_capacity;
    int depth, nqueries, nrels;
    bool gave_up; /* names something that is not known, or is too large */
};

/* The tree of a statement that has a block. With `inline_ctes`, CTEs stand where they are read, as far as
 * Citus puts them there. Look at `gave_up` first. */
CitusQuery *citus_tree_build(CitusTree *tree, Rewrite *rw, const Statement *stmt, bool inline_ctes) MUST_USE;

int citus_tree_class(CitusTree *tree, int node) MUST_USE;

/* The value that the column has in every row that is read; NULL. */
const Value *citus_tree_value(CitusTree *tree, int node) MUST_USE;

/* What a column is in the query; .node -1 and .type NULL where nothing is known of it. */
CitusColumn citus_tree_column(CitusQuery *query, const Expr *column) MUST_USE;

/* In the query's own FROM, what the column is one of; NULL: in none, or not known. */
const CitusRel *citus_tree_owner(CitusQuery *query, const Expr *column) MUST_USE;

/* For the types of the columns that the query's expressions see. */
VolatilityScope citus_tree_volatility(CitusQuery *query) MUST_USE;

/* ---- citus_rels.c ---- */
CitusRel *citus_rels_add(CitusQuery *query, CitusRelKind kind, const FromItem *item);
/* Gives the relation the outputs of a query as its columns; `equal`: they count as the same ones. */
void citus_rels_take_outputs(CitusRel *rel, const CitusQuery *query, bool equal);
void citus_rels_rename(CitusRel *rel, const char *const *names, int n);
/* As FROM names it. */
void citus_rels_name(CitusRel *rel, const FromItem *item);

/* ---- citus_columns.c ---- */
int citus_columns_node(CitusTree *tree) MUST_USE;
void citus_columns_union(CitusTree *tree, int a, int b);
/* Has the output be equal to what it shows, without being bound back. */
void citus_columns_put_out(CitusTree *tree, int inside, int outside);
/* What a column of this name is in the relation; false if it has none. */
bool citus_columns_find(const CitusRel *rel, const char *name, CitusColumn *column) MUST_USE;
void citus_columns_of_table(CitusTree *tree, CitusRel *rel);
/* Finds the column, and marks the queries between this one and the one that it belongs to as correlated. */
CitusColumn citus_columns_look_up(CitusQuery *query, const Expr *column);
void citus_columns_outputs(CitusQuery *query, const Target *targets, int ntargets);
void citus_columns_add_output(CitusQuery *query, CitusColumn column);
/* The equalities that a condition makes hold, or that Citus takes for such. */
void citus_columns_equate(const CitusCondition *condition, const Expr *expr);
/* When all conditions are known. */
void citus_columns_settle(CitusTree *tree);

static inline bool citus_tree_is_table(const CitusRel *rel) { return rel->kind <= CITUS_REL_LOCAL; }

#endif
