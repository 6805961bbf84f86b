/* The columns of what stands in FROM, before the tables under migration got their tenant column and after. */
#ifndef REWRITE_AMBIGUITY_COLUMNS_H
#define REWRITE_AMBIGUITY_COLUMNS_H

#include "rewrite/star_range.h"

typedef enum AmbiguityTime { BEFORE_COLUMN, AFTER_COLUMN } AmbiguityTime;

typedef struct AmbiguityColumn {
    const char *name;
    const char *range;     /* the name of the item by which it can be called; NULL: it cannot */
    const char *qualifier; /* the same as SQL */
    bool hidden;           /* * does not show it */
} AmbiguityColumn;

typedef struct AmbiguityColumns {
    AmbiguityColumn *columns;
    int n, capacity;
    bool unknown; /* there may be others */
} AmbiguityColumns;

/* A NATURAL JOIN, and what it merged before. */
typedef struct AmbiguityNatural {
    const struct AmbiguityNatural *next;
    const FromItem *join;
    AmbiguityColumns shared;
} AmbiguityNatural;

/* One statement's work. */
typedef struct Ambiguity {
    Rewrite *rw;
    Star star;         /* counts the steps, knows the statement's other edits */
    const char **late; /* the names of tenant columns that some of its tables get */
    int nlate;
    const AmbiguityNatural *naturals; /* that are to be spelled out */
    int depth;                        /* of sub-selects and CTEs that are looked into */
} Ambiguity;

/* Whether the table gets, or has got, its tenant column behind the application's back. */
bool ambiguity_is_late(const Rewrite *rw, const Table *table) MUST_USE;

/* As the names of an item in the FROM of `block`, or of its target, are seen from the block. */
AmbiguityColumns ambiguity_columns(Ambiguity *a, const Block *block, const FromItem *from,
                                   AmbiguityTime time) MUST_USE;

/* As a query gives them; they have no `range`. */
AmbiguityColumns ambiguity_outputs(Ambiguity *a, const Block *query, AmbiguityTime time) MUST_USE;

/* Those that a join by name merges: of USING, or, of a NATURAL JOIN, the names that both sides have. */
AmbiguityColumns ambiguity_shared(Ambiguity *a, const Block *block, const FromItem *join,
                                  AmbiguityTime time) MUST_USE;

int ambiguity_count(Ambiguity *a, const AmbiguityColumns *columns, const char *name) MUST_USE;

#endif
