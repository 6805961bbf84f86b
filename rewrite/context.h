/* What the files of rewrite/ share while one statement is decided. */
#ifndef REWRITE_CONTEXT_H
#define REWRITE_CONTEXT_H

#include "rewrite/decide.h"
#include "rewrite/names.h"

typedef struct Rewrite {
    Arena *arena;
    Str text;
    const Snapshot *snapshot;
    const Names *names;
    const Names *view_names;    /* for what stands in the definition of a view */
    const Statement *statement; /* the outermost: what is judged may stand in its `inner` */
    StatementDecision *decision;
    struct Survey *survey; /* of the statement, `inner` included */
    EditList *edits;       /* over the whole text */
    bool literals_matter;
    const char *prefix; /* what made-up names begin with; NULL until one is needed */
    int nmade;          /* how many have been made up */
} Rewrite;

/* Keeps the first of the reasons why a write is sent as it is. */
void rewrite_note(Rewrite *rw, const char *note);

/* The same: "table.column is not added: why". */
void rewrite_leave(Rewrite *rw, const Table *table, const char *why);

/* A name, for a CTE, that occurs nowhere in the text. */
const char *rewrite_made_name(Rewrite *rw);

/* Whether a table is being migrated, so that INSERTs into it must be given its tenant. */
bool rewrite_is_migrating(const Table *table);

/* A name for people: as in SQL, quoted where needed, in the arena. */
const char *rewrite_quoted(Rewrite *rw, const char *name);

#endif
