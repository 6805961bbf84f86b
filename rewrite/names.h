/* Which table a name means to a session. */
#ifndef REWRITE_NAMES_H
#define REWRITE_NAMES_H

#include "catalog/snapshot.h"
#include "parser/facts.h"
#include "rewrite/decide.h"

typedef enum NameKind {
    NAME_TABLE,     /* `table` */
    NAME_CTE,       /* `cte` */
    NAME_TEMPORARY, /* a temporary table of the session */
    NAME_SYSTEM,    /* a relation of pg_catalog, information_schema or pg_toast */
    NAME_UNKNOWN,   /* not in the snapshot, or nobody can tell */
} NameKind;

typedef struct NameMeaning {
    NameKind kind;
    const Table *table;
    const Cte *cte;
} NameMeaning;

/* A session's view of names, made once per decision. */
typedef struct Names {
    const Snapshot *snapshot;
    const SessionContext *context;
    const char *
        *path; /* effective: schemas that exist, with pg_catalog and pg_temp where they are searched */
    int npath;
    bool path_known;    /* false: unqualified names are NAME_UNKNOWN */
    bool catalog_first; /* nothing but temporary objects is searched before pg_catalog */
    struct NamesCache *cache;
} Names;

Names names_of(Arena *arena, const Snapshot *snapshot, const SessionContext *context) MUST_USE;

/* Names as the definition of a view has them: qualified, wherever pg_catalog alone does not suffice. */
Names names_of_view(Arena *arena, const Snapshot *snapshot) MUST_USE;

/* Resolves the name of a FROM item that stands directly in `block`; the CTEs in scope there come first. With
 * a NULL block, CTEs do not count: so for the target of INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE. */
NameMeaning names_resolve(const Names *names, const Block *block, const Name *name) MUST_USE;

/* Whether an unqualified or qualified function name is looked up in pg_catalog before all else. */
bool names_in_catalog(const Names *names, const Name *function) MUST_USE;

#endif
