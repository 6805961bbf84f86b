/* The decision: what the proxy does with a text.
 *
 * facts + snapshot + session context → verdict and edits. Pure: no I/O, no clock, no global state, no memory
 * but the arena's; lint, the proxy, the tests and the fuzzers call this one function. */
#ifndef REWRITE_DECIDE_H
#define REWRITE_DECIDE_H

#include "base/arena.h"
#include "catalog/snapshot.h"
#include "parser/facts.h"
#include "rewrite/edit.h"
#include "wire/copy_row.h"

typedef enum Verdict {
    VERDICT_NO_TENANT_TABLE, /* only reference and local tables, or none */
    VERDICT_SINGLE_TENANT,   /* Citus can route it to one shard group */
    VERDICT_MULTI_TENANT,    /* it touches, or may touch, more than one */
    VERDICT_OPAQUE,          /* what it touches cannot be known from the text */
    VERDICT_UNPARSED,        /* the parser rejects it, or it was not given to the parser */
} Verdict;

const char *verdict_name(Verdict verdict); /* "single-tenant", … */

/* What a session knows that changes the meaning of a text. Compared by value; the strings are the caller's
 * and need to live only during the call. */
typedef struct SessionContext {
    const char *search_path; /* as SHOW search_path prints it, e.g. "\"$user\", public" */
    const char *role;        /* for $user; NULL: $user is skipped */
    bool search_path_known;  /* false: an unqualified name is resolved by nobody: no rewrite, OPAQUE */
    bool temp_tables;        /* the session created temporary tables: names in `temp_names` shadow */
    const char *const *temp_names;
    int ntemp_names;
    bool has_tenant;  /* there is, or may be, a tenant for rows without a parent; which, a slot asks */
    bool in_function; /* the text is part of a function: nothing can be found out ahead of it, and what the
                         facts call parameters may be variables' names, which columns could hide */
} SessionContext;

/* One column of a row's foreign key, as far as the text gives it. */
typedef struct SlotKey {
    const Column *column; /* of the child: the value is converted to its type, as on assignment */
    int param;            /* the key is exactly $n; else 0 and: */
    bool literal;         /* `copy` is one literal, which may be read without the server's help */
    Span copy;            /* an expression that may be evaluated twice, in the original text; it may have
                             parameters in it; else, if empty: */
    Str text;             /* an expression that is not in the text: a default */
} SlotKey;

/* A tenant that must be known before the statement is sent: a value in the place of a sub-select.
 *
 * A simple query gets it as a literal, a statement of the extended protocol as an added parameter: slot i is
 * number max(nparams, types declared) + i. It comes from the session's tenant, from what is known of the
 * parent, or from a look at the parent ahead of the statement. */
typedef struct Slot {
    const Table *table;  /* whose row it is; its path leads to the tenant, from path.steps[0] on */
    const SlotKey *keys; /* one for each column of path.steps[0]; NULL: only the session can give it */
    int statement;
    bool nullable; /* NULL is sent where nobody knows; else the statement is refused */
} Slot;

/* Why a statement must not be sent: what the client gets instead, an error of this SQLSTATE. */
typedef struct Refusal {
    const char *sqlstate; /* one of base/error.h's */
    const char *message;
    const char *detail; /* NULL without */
    const char *hint;   /* NULL without */
} Refusal;

/* One column of the foreign key of the rows that a COPY brings. */
typedef struct CopyKey {
    int position;  /* of its field in a row; -1: it has none, and */
    Str constant;  /* this is its value, as text; ptr NULL: NULL */
    bool null_too; /* FORCE_NULL: it is NULL also where the null text stands in quotes */
    bool not_null; /* FORCE_NOT_NULL: the null text is a value */
} CopyKey;

/* COPY … FROM STDIN of rows without their tenant: each gets it as one field more. */
typedef struct CopyPlan {
    const Table *table;   /* whose rows they are */
    CopyRowOptions row;   /* the format of the data */
    int nfields;          /* of a row, as the client sends it */
    bool may_have_it;     /* no columns are listed, and the tenant is the last of all: a row of nfields + 1 is
                             complete */
    const CopyKey *keys;  /* one for each column of table->path.steps[0]; NULL: no row has a parent */
    const char *encoding; /* that the data is said to have; NULL: the client's */
    bool header_match;    /* the server compares the names in the header */
    bool filtered;        /* WHERE: a row may never get as far as the table */
    bool refuse_unknown;  /* a row whose tenant nobody knows is refused; else its tenant is NULL */
} CopyPlan;

typedef struct StatementDecision {
    Verdict verdict;
    const char *const *tables; /* tenant tables, reference and local ones that it names: "public.orders" */
    int ntables;
    const char *const *unscoped; /* those that make it multi-tenant */
    int nunscoped;
    const char *reason; /* in words; NULL where there is nothing to say (single-tenant, no-tenant-table) */
    const char *suggestion;   /* NULL without */
    const char *citus_error;  /* why Citus would refuse the statement once its tenant tables are distributed,
                                 which is worse than fan-out: the verdict is multi-tenant then; NULL: it would
                                 not, as far as is known */
    bool proposed;            /* some of the proposals are in this statement */
    const char *rewrite_note; /* why a write into a table in `derive` or later is sent unchanged although its
                                 tenant is missing; NULL otherwise */
    const Refusal *refusal;   /* NULL: it may be sent */
    const CopyPlan *copy;     /* its rows get their tenant on their way; NULL: they are the server's own */
    bool rewritten;           /* some of the edits are in this statement */
    bool moves_parents;       /* it may change the tenant or the key of a row that others find theirs by */
    bool writes_migrating;    /* it writes to a table whose stage is derive or later */
    const Table
        *migrating; /* a table that it writes to and that is, or may be, in the migration, at any stage:
                       a proxy that may have missed a stage change must not send it; NULL: none */
} StatementDecision;

typedef struct Decision {
    StatementDecision *statements; /* one per Facts.statements */
    int nstatements;
    EditList edits;     /* over the whole text; empty: the original bytes are sent */
    EditList proposals; /* over the whole text: conditions that follow from the keys and that the proxy would
                           add if `reads` were on; not in `edits`, sorted like them */
    const Slot *slots;  /* what some of the edits need */
    int nslots;
    bool literals_matter; /* a literal's value took part: valid for this very text only, not its shape */
} Decision;

/* Decides. Never fails: what it does not understand is passed unchanged and said so. The decision lives in
 * `arena` and points into neither `facts` nor `context`; it may point into `snapshot`. `text` is what
 * facts_parse was given. */
const Decision *decide(Arena *arena, Str text, const Facts *facts, const Snapshot *snapshot,
                       const SessionContext *context) MUST_USE;

#endif
