/* What is to be run, as a list: statements that stand alone, and short transactions that take strong locks.
 * The same list is run or printed, so that what people read is what happens. */
#ifndef MIGRATE_PIECES_H
#define MIGRATE_PIECES_H

#include "migrate/step.h"

typedef struct Piece {
    const char *what;    /* a phrase for messages: "building an index" */
    const char *sql;     /* statements, each with its semicolon and a line's end */
    bool locks;          /* one transaction that is tried until the lock is had: see lock_run */
    const char *cleanup; /* a statement to run if it fails, so that nothing is left behind; NULL */
} Piece;

/* In the migration's arena. Texts that are added must live as long. */
typedef struct Pieces {
    const Migration *migration;
    Piece *items;
    int n, room;
} Pieces;

void pieces_add(Pieces *pieces, Piece piece);
void pieces_alone(Pieces *pieces, const char *what, const char *sql);
void pieces_locking(Pieces *pieces, const char *what, const char *sql);

/* Adds those of a table, by what the server has of it now. */
typedef MUST_USE bool PiecesOf(const Table *table, Pieces *pieces, Error *err);

/* Runs them in order, each lock being one of the table's. Stops at the first that fails. */
MUST_USE bool pieces_run(const Migration *migration, const Table *table, PiecesOf *of, Error *err);
/* Appends them as a script; where they cannot be known, a comment that says why. */
void pieces_script(const Migration *migration, const Table *table, PiecesOf *of, Buf *out);

#endif
