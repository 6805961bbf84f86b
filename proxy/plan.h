/* The statement cache: from a text to what is done with it.
 *
 *   text → shape → entry (facts, parsed once) → plan (decision under one snapshot and one context)
 *
 * A hit parses nothing and allocates nothing: the shape is one linear scan, the entry is found by its hash,
 * and the plan is current if two numbers agree. Texts that differ in literals alone share an entry; where a
 * rewrite is due, its edits are moved to the text at hand. An entry whose decision took a literal's value
 * into account is kept by exact text instead.
 *
 * One cache a worker, used by its thread only. Entries are dropped least recently used first, by number and
 * by bytes; a plan that is still in use (a statement in flight, a prepared statement) lives on until it is
 * released. */
#ifndef PROXY_PLAN_H
#define PROXY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/audit.h"
#include "base/list.h"
#include "catalog/snapshot.h"
#include "parser/shape.h"
#include "proxy/allowed.h"
#include "proxy/context.h"
#include "rewrite/decide.h"

typedef struct PlanEntry PlanEntry;

typedef struct Plan {
    int references;
    PlanEntry *entry;    /* counted */
    struct Plan *next;   /* other plans of the entry */
    uint64_t generation; /* of the snapshot it was made from */
    uint32_t context;
    Snapshot *snapshot;       /* counted: the decision points into it; NULL if there was none */
    Arena *arena;             /* owns the decision */
    const Decision *decision; /* never NULL */
    AuditEntry **audit;       /* one per statement; NULL: made without audit */
    AllowedSlot *allowed;     /* likewise, of use to proxy/mode.c alone */
    uint64_t unparsed_fingerprint;
    int nstatements; /* at least 1 */
    /* What the session must do when it sends the text, gathered from all statements: */
    bool has_effects; /* track_concerns some statement */
    bool has_ddl;
    bool sets_encoding;     /* SET client_encoding or standard_conforming_strings: what follows in this batch
                               cannot be read */
    bool prepares;          /* PREPARE */
    bool executes_any;      /* EXECUTE, of several statements too */
    bool only_begins;       /* BEGIN, SET, SHOW or nothing: it takes no lock */
    const char *executes;   /* the name in an EXECUTE that is the only statement; NULL */
    bool drops_prepared;    /* DEALLOCATE, DISCARD ALL */
    bool may_write;         /* it writes, or nobody knows that it does not */
    bool rolls_back;        /* ROLLBACK, ROLLBACK TO */
    bool moves_parents;     /* it may change the tenant or the key of rows that others find theirs by */
    const Refusal *refusal; /* the first of its statements'; NULL */
    bool *repeated;         /* per $n: it occurs more than once; only where there are slots */
    bool writes;            /* INSERT, UPDATE, DELETE, MERGE or COPY FROM, wherever */
    const Table *migrating; /* the first table under migration that it writes to; NULL: none */
    uint8_t subjects;       /* what its statements' modes depend on: see proxy/mode.h */
    uint64_t
        asked_by_hold;   /* proxy/migration_hold.c: the number of the last hold that it was compared with */
    bool touches_held;   /* and the outcome */
    bool hidden_effects; /* several statements, and one changes how the next is read: planned with an unknown
                            path */
} Plan;

typedef struct PlanStats {
    _Atomic uint64_t hits;
    _Atomic uint64_t misses;    /* parsed */
    _Atomic uint64_t replanned; /* known text, new snapshot or context */
    _Atomic uint64_t unparsed;
    _Atomic uint64_t evicted;
    _Atomic uint64_t entries;
    _Atomic uint64_t bytes;
} PlanStats;

typedef struct PlanCache {
    PlanEntry **buckets; /* chained hash table */
    uint32_t nbuckets;   /* a power of two */
    List lru;            /* least recently used first */
    int max_entries;
    FactsLimits limits;
    Shape shape;         /* of the text being looked up: valid until the next look-up */
    AuditLedger *ledger; /* not owned */
    bool auditing;       /* plans are made with audit entries; one that is not as this says is made anew */
    PlanStats stats;
} PlanCache;

/* How the text of a session is to be read. */
typedef struct PlanRequest {
    Str text;           /* NUL-terminated behind its length */
    Snapshot *snapshot; /* NULL: none yet */
    const Context *context;
    const char *unparsed_because; /* the session's state forbids trust in the parser; NULL: parse */
    bool utf8;                    /* client_encoding is UTF8; else identifiers must be ASCII */
    const char *application;      /* for the audit */
    const char *role;
} PlanRequest;

void plan_cache_init(PlanCache *cache, int max_entries, FactsLimits limits, AuditLedger *ledger);
void plan_cache_free(PlanCache *cache);

/* Drops all plans of other generations, which keep their snapshots alive. */
void plan_cache_sweep(PlanCache *cache, uint64_t generation);

/* Looks up or makes the plan. Never NULL; the caller owns a reference (plan_unref). A newly met shape is
 * reported through on_new, for the audit log. */
typedef void PlanOnNew(const AuditSubject *subject, void *arg);
Plan *plan_get(PlanCache *cache, const PlanRequest *request, PlanOnNew *on_new, void *arg) MUST_USE;
Plan *plan_ref(Plan *plan);
void plan_unref(Plan *plan); /* NULL is permitted */

/* Whether a plan counts what the cache has to count. */
static inline bool plan_audits_as(const Plan *plan, const PlanCache *cache) {
    return (plan->audit != NULL) == cache->auditing;
}

/* By which the audit and the allow-list know a statement: the parser's; of a text without one, a hash of its
 * shape that is the same in every process. */
uint64_t plan_fingerprint(const Plan *plan, int index) MUST_USE;

/* The statement at an index; NULL if the text was not parsed. */
const Statement *plan_statement(const Plan *plan, int index) MUST_USE;

/* Whether the bytes sent differ from the client's. */
static inline bool plan_rewrites(const Plan *plan) { return plan->decision->edits.nedits > 0; }

/* A rewritten text and the way back to the client's. Reference-counted, one thread. */
typedef struct Rewritten {
    int references;
    Str original; /* owned copy */
    EditList edits;
    Arena *arena;
} Rewritten;

/* For the text of the last plan_get, whose plan must be this one and rewrite; slots: the SQL of each of the
 * decision's slots, NULL if it has none. Appends the text to send to `out`. */
Rewritten *plan_rewrite(PlanCache *cache, const Plan *plan, Str text, const Str *slots, Buf *out) MUST_USE;
/* Where a span of the planned text stands in the text of the last plan_get, whose plan must be this one. */
Span plan_span(const PlanCache *cache, const Plan *plan, Span span) MUST_USE;
/* Whether texts of this plan may differ in literals. */
bool plan_has_literals(const Plan *plan) MUST_USE;

/* The highest $n of the text; whether one occurs more than once. */
int plan_nparams(const Plan *plan) MUST_USE;
bool plan_repeats_param(const Plan *plan, int number) MUST_USE;
static inline bool plan_needs_values(const Plan *plan) { return plan->decision->nslots > 0; }
/* For a text that is sent as it is behind a prefix. */
Rewritten *rewritten_behind(Str prefix, Str text) MUST_USE;
Rewritten *rewritten_ref(Rewritten *rewritten);
void rewritten_unref(Rewritten *rewritten); /* NULL is permitted */

#endif
