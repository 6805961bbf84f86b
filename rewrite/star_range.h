/* The tables, sub-selects and functions that * stands for in one block, and what each shows. */
#ifndef REWRITE_STAR_RANGE_H
#define REWRITE_STAR_RANGE_H

#include "base/buf.h"
#include "rewrite/context.h"

/* One statement's work, bounded: FROM lists, stars and the columns of wide tables multiply. */
typedef struct Star {
    Rewrite *rw;
    size_t steps;        /* columns and FROM items looked at, and bytes made */
    const Block *exists; /* the block of the EXISTS (…) that was met last */
    int first_edit;      /* of the statement's other edits; */
    int last_edit;       /* behind them */
    bool fixed;          /* other edits name columns of FROM items: these must stay what they are */
} Star;

/* Counts the steps; false when there have been too many: then nothing more is rewritten. */
bool star_may(Star *s, size_t steps) MUST_USE;

/* Whether another rewrite takes that text to another place: what stands in it goes along as it is. */
bool star_is_moved(Star *s, Span span) MUST_USE;

typedef struct StarItem {
    const FromItem *from;  /* no join */
    const Table *table;    /* NULL: not one of the snapshot's */
    const char *name;      /* by which the statement refers to it; NULL: it has none */
    const char *qualifier; /* the same as SQL, with the schema where it has to be */
    int nshown;            /* columns of `table` that it shows */
    bool hides;            /* the tenant column is not one of them */
    bool wrap;             /* it is to become (SELECT … FROM table) name, where nothing is left to hide */
} StarItem;

/* The name by which a statement refers to an item, as it is and as SQL; NULL without. */
const char *star_range_name(const FromItem *from) MUST_USE;
const char *star_range_qualifier(Rewrite *rw, const FromItem *from) MUST_USE;

/* In order: a write's target, then FROM from left to right. */
typedef struct StarRange {
    const Block *block;
    StarItem *items;
    int nitems;
} StarRange;

StarRange star_range(Star *s, const Block *block) MUST_USE;

/* Whether an item is `from`, or stands in it, a join. */
bool star_stands_in(const FromItem *from, const FromItem *item) MUST_USE;

/* Notes that the item's tenant column shows, and why. */
void star_note(Star *s, const StarItem *item, const char *why);

/* Whether a tenant column would show, of one of the items, or of those in `from`. */
bool star_range_hides(const StarRange *range) MUST_USE;
bool star_from_hides(const StarRange *range, const FromItem *from) MUST_USE;

/* The item that t.* is of: in this block or in one around it. False: none. */
bool star_find(Star *s, const Block *block, const Name *name, StarItem *found) MUST_USE;

/* Whether the item, of range->items, shows a column of this name; *known: whether that can be told. */
bool star_item_has(Star *s, const StarRange *range, const StarItem *item, const char *column,
                   bool *known) MUST_USE;

typedef enum StarList {
    STAR_PLAIN,     /* a, b */
    STAR_QUALIFIED, /* t.a, t.b */
    STAR_COPY,      /* a, b, without generated columns: what COPY t means by no list */
} StarList;

/* Writes the columns that the item shows. */
void star_put_item(Star *s, const StarItem *item, StarList list, Buf *sql);

#endif
