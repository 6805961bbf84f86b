/* The audit: what kinds of statements an application sends, how often, at what cost, and which of them are
 * not scoped to one tenant.
 *
 * Each worker owns a ledger. An entry stands for one statement shape by fingerprint with one verdict: texts
 * of one fingerprint may differ in theirs ("store_id = 5" and "store_id IN (5, 6)", or before and after a
 * stage change), and none may hide another's. An entry is made when the worker first meets it, and stays
 * where it is until the ledger is freed, so that the statement path counts through a pointer: relaxed
 * atomics, no lock, no look-up. What is counted is kept by client, an application and its role, since
 * sessions of many applications share an entry:
 *
 *   entry -- share (shop, app) -- share (reports, app) -- ... -- share (all others)
 *
 * Readers (console, log, report) take the ledger's lock, which is held otherwise only while an entry is added
 * or its decision changes, and merge the ledgers of all workers. Texts are kept as valid UTF-8 whatever the
 * client's encoding is (audit/sample.h).
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "rewrite/decide.h"

typedef struct AuditLedger AuditLedger;

/* Who sends statements, as one ledger knows it: lives as long as that. */
typedef struct AuditClient AuditClient;

/* What one client made of an entry. */
typedef struct AuditShare {
    struct AuditShare *next; /* never changes */
    const AuditClient *client;
    _Atomic uint64_t calls;
    _Atomic uint64_t errors;
    _Atomic uint64_t
        total_us; /* latency as the client sees it: from the message's arrival to the end of its reply */
    _Atomic uint64_t blocked; /* not executed, since [audit] mode forbade it; no calls */
    _Atomic uint64_t noticed; /* of the calls: the client got a NOTICE */
} AuditShare;

typedef struct AuditEntry {
    uint64_t fingerprint;
    Verdict verdict;
    bool rewritten;
    const char *const *tables;
    int ntables;
    const char *const *unscoped;
    int nunscoped;
    const char *reason; /* NULL without, as all texts down to `sent` */
    const char *suggestion;
    const char *citus_error;
    const char *note;     /* why a write is sent without the tenant that it needs */
    const char *refused;  /* the error that the client gets instead */
    const char *sample;   /* a text, cut; redacted if so configured; never NULL */
    const char *proposed; /* the sample with conditions that the proxy does not add, see Decision.proposals */
    const char *sent;     /* what the proxy sends for the sample */
    const AuditClient *maker;   /* that first sent it */
    _Atomic int64_t first_seen; /* microseconds since 1970 UTC; 0 before the first execution */
    _Atomic int64_t last_seen;
    _Atomic uint64_t max_us;
    _Atomic(AuditShare *) shares; /* NULL before the first execution */
    AuditShare *recent;           /* the worker's: that it counted in last */
    int nshares;                  /* likewise */
} AuditEntry;

/* What a new entry is made from; strings are copied. */
typedef struct AuditSubject {
    uint64_t fingerprint;
    const StatementDecision *decision;
    Str text;     /* this statement alone */
    Str shape;    /* its normalised text, shown instead where redacting; may be empty */
    Str proposed; /* the text with its proposals; STR_NONE without */
    Str sent;     /* the text as the server gets it; STR_NONE: unchanged */
    const char *application;
    const char *role;
} AuditSubject;

typedef struct AuditLimits {
    int max_entries;
    size_t sample_bytes; /* mended texts may be twice as long */
    bool redact;
} AuditLimits;

AuditLedger *audit_new(AuditLimits limits) MUST_USE;
void audit_free(AuditLedger *ledger);

/* Finds or makes the entry of a subject's fingerprint and verdict; where the rest of the decision is another
 * one than it was, it is updated in place, with its texts. When the ledger is full, all further ones share
 * one overflow entry (fingerprint 0, verdict opaque). *is_new is set when the entry was made, and always for
 * the overflow entry, which cannot know. Never NULL. Called by the owning worker only. */
AuditEntry *audit_entry(AuditLedger *ledger, const AuditSubject *subject, bool *is_new);

/* Finds or makes a client; each name may be NULL. A ledger knows a bounded number of them, all further ones
 * are one that has no name. Never NULL. Called by the owning worker only. */
AuditClient *audit_client(AuditLedger *ledger, const char *application, const char *role) MUST_USE;

/* Counts one execution. Both are of one ledger. Wait-free, and without an allocation but for the first time
 * that a client uses the entry; called by the owning worker only. now_us: microseconds since 1970. */
void audit_count(AuditEntry *entry, AuditClient *client, uint64_t latency_us, bool failed, int64_t now_us);

/* The same of a statement that was not sent, since [audit] mode forbade it. */
void audit_count_blocked(AuditEntry *entry, AuditClient *client, int64_t now_us);

/* A statement's client got a NOTICE of its verdict; its execution is counted apart from that. */
void audit_count_noticed(AuditEntry *entry, AuditClient *client);

/* Of a row: its client's part. */
typedef struct AuditRowClient {
    const char *application; /* NULL, like the role: all that no room was left for */
    const char *role;
    uint64_t calls, errors, total_us, blocked, noticed;
} AuditRowClient;

/* A merged copy for reading: entries of all ledgers, summed by fingerprint and verdict, in `arena`. Where
 * they differ in more than counts, decision and texts are those of the entry last used. */
typedef struct AuditRow {
    uint64_t fingerprint;
    Verdict verdict;
    bool rewritten;
    const char *tables; /* "public.orders, public.line_items" */
    const char *unscoped;
    const char *reason;
    const char *suggestion;
    const char *citus_error;
    const char *note;
    const char *refused;
    const char *sample;
    const char *proposed;
    const char *sent;
    const char *application; /* of the client that first sent it; "" without */
    const char *role;
    int64_t first_seen, last_seen;
    uint64_t calls, errors, total_us, max_us, blocked, noticed;
    AuditRowClient *clients; /* most expensive first */
    int nclients;
} AuditRow;

/* Sorted by total time, most expensive first. Returns the number of rows. */
int audit_collect(AuditLedger *const *ledgers, int nledgers, Arena *arena, AuditRow **rows);

/* The clients of a row as a JSON array, each {"application":…,"user":…,"calls":…,"errors":…,"total_ms":…,
 * "blocked":…,"noticed":…}; in `arena`. */
const char *audit_clients_json(const AuditRow *row, Arena *arena) MUST_USE;

#endif
