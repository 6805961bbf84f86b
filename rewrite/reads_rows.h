/* What stands in FROM, seen as rows of tables.
 *
 * A row is one reference to a table. Wherever its columns are seen, in its own block, through a sub-select, a
 * CTE or a view, they are its cells: `x.order_id` and `x.store_id` of a sub-select x are two cells of one
 * row of orders, if that is where they come from. What is known of rows is known of them wherever they are
 * visible. A row that is made up of others' (a set operation's) has no table. */
#ifndef REWRITE_READS_ROWS_H
#define REWRITE_READS_ROWS_H

#include "rewrite/context.h"

#define READS_NO_CELL (-1)
/* A statement with more to look at than this is left as it is: hundredths of a second. */
#define READS_MAX_WORK 400000

typedef struct ReadsRow {
    const Table *table; /* NULL: none */
    int base;           /* its cells are numbered from here on: one for each column, one for the tenant column
                           that is to come */
    int ncells;
} ReadsRow;

/* A column as it is visible; `row` NULL and READS_NO_CELL where it is no table's. */
typedef struct ReadsColumn {
    const char *name; /* NULL: it has none */
    const ReadsRow *row;
    int cell;
} ReadsColumn;

typedef struct ReadsColumns {
    ReadsColumn *all;
    int n, capacity;
    bool open; /* there may be more that are not known */
} ReadsColumns;

/* Something with a name in FROM. */
typedef struct ReadsItem {
    const char *schema; /* as written, of a table without alias */
    const char *name;
    const ReadsColumns *columns;
} ReadsItem;

/* What can be named at one place of a block. */
typedef struct ReadsSpace {
    ReadsItem *items;
    int nitems, item_capacity;
    ReadsColumns merged; /* of USING and NATURAL: by name alone, before the items' columns */
} ReadsSpace;

typedef struct ReadsEnv {
    const ReadsSpace *space;
    const struct ReadsEnv *outer;
    bool unknown;         /* what is not found in `space` may be anything: no use to look further */
    const Block *grouped; /* only what its GROUP BY lists may be named anew */
} ReadsEnv;

/* a = b on each row, or, with `value`, a = a constant or parameter. */
typedef struct ReadsFact {
    int a, b;
    bool value;
    bool exact;    /* by an equality that is one across its types: transitive, and that of the keys */
    bool proposed; /* follows from what is proposed, but not sent */
} ReadsFact;

typedef struct ReadsFacts {
    ReadsFact *all;
    int n, capacity;
} ReadsFacts;

typedef struct ReadsWalk ReadsWalk;

/* Counts work that has been done; too much, and the walk gives up. */
void reads_count(ReadsWalk *w, int work);
/* Grows an array of the arena. */
void *reads_grow(ReadsWalk *w, void *array, int n, int *capacity, size_t size) MUST_USE;

const ReadsRow *reads_new_row(ReadsWalk *w, const Table *table, int ncells) MUST_USE;
/* The tenant's cell of a row; READS_NO_CELL if its table has no tenant. */
int reads_tenant_cell(const ReadsRow *row) MUST_USE;
/* The cell of a column of the row's table. */
int reads_cell(const ReadsRow *row, const Column *column) MUST_USE;
/* The column of a visible one; NULL if it is no table's, or to come. */
const Column *reads_column_of(const ReadsColumn *column) MUST_USE;

/* Whether it is the tenant column that a table was given, of which a statement need not know. */
bool reads_is_added(const ReadsColumn *column) MUST_USE;

void reads_add_column(ReadsWalk *w, ReadsColumns *columns, ReadsColumn column);
void reads_add_item(ReadsWalk *w, ReadsSpace *space, ReadsItem item);
void reads_add_space(ReadsWalk *w, ReadsSpace *space, const ReadsSpace *other);
void reads_add_fact(ReadsWalk *w, ReadsFacts *facts, ReadsFact fact);

/* The columns of a table, as a row of it has them. */
void reads_table_columns(ReadsWalk *w, const ReadsRow *row, ReadsColumns *columns);
/* The names of t(a, b). */
void reads_rename(ReadsColumns *columns, const char *const *names, int n);

/* What a column, or a cast of it that leaves its value, means. False if that is not known. */
bool reads_resolve(ReadsWalk *w, const ReadsEnv *env, const Expr *expr, ReadsColumn *column) MUST_USE;

/* How the cell is written where `env` is what can be named; NULL if it cannot. */
const char *reads_name_of(ReadsWalk *w, const ReadsEnv *env, int cell) MUST_USE;

/* Takes the facts out of a condition that is true. */
void reads_take_facts(ReadsWalk *w, const ReadsEnv *env, const Expr *condition, ReadsFacts *facts);
void reads_take_equality(ReadsWalk *w, const ReadsColumn *a, const ReadsColumn *b, ReadsFacts *facts);

#endif
