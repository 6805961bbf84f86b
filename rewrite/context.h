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
    int index;                  /* of the statement in the text */
    const Statement *statement; /* the outermost: what is judged may stand in its `inner` */
    StatementDecision *decision;
    struct Survey *survey;     /* of the statement, `inner` included */
    EditList *edits;           /* over the whole text */
    EditList *proposals;       /* likewise */
    const struct Reads *reads; /* while it is judged: what was added, and what may be; NULL: nothing */
    Slot *slots;               /* of the whole text */
    int nslots, slot_capacity;
    bool several;     /* the text has several statements: nothing can be found out between them */
    bool in_function; /* names in it may be variables', which a column of what is put in must not hide */
    bool has_tenant;  /* the session, or the text's comment, may know it where there is no parent */
    bool literals_matter;
    struct TraceAddition *traced;       /* columns that lists were given (rewrite/trace.h) */
    struct TraceReaders *trace_readers; /* what is known of who reads CTEs */
    int trace_work;                     /* spent on finding them */
    const Statement *written_in;        /* the last answer of written_path() */
    const Table *written_table;
    bool written;
    const char *prefix; /* what made-up names begin with; NULL until one is needed */
    int nmade;          /* how many have been made up */
} Rewrite;

/* Keeps the first of the reasons why a write is sent as it is. */
void rewrite_note(Rewrite *rw, const char *note);

/* The same: "table.column is not added: why". */
void rewrite_leave(Rewrite *rw, const Table *table, const char *why);

/* A write whose tenant is missing and cannot be found: refused where the table's on_unknown says so, else
 * sent as it is, with the note that rewrite_leave makes. */
void rewrite_unknown(Rewrite *rw, const Table *table, const char *why);

/* The statement is refused, for a reason that is not the tenant's absence. The first refusal stays. */
void rewrite_refuse(Rewrite *rw, const char *sqlstate, const char *message, const char *detail,
                    const char *hint);

/* Whether writes to this table must carry values: no sub-select may be sent. */
bool rewrite_needs_values(const Table *table);

/* Whether Citus has taken the table over, so that its rules hold. */
bool rewrite_is_distributed(const Table *table);

/* A name, for a CTE, that occurs nowhere in the text. */
const char *rewrite_made_name(Rewrite *rw);

/* Whether its rows belong to tenants, by a column that it has or will have. */
bool rewrite_is_tenant_table(const Table *table);

/* Whether a table is being migrated, so that INSERTs into it must be given its tenant. */
bool rewrite_is_migrating(const Table *table);

/* A name for people: as in SQL, quoted where needed, in the arena. */
const char *rewrite_quoted(Rewrite *rw, const char *name);

#endif
