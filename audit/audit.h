/* The audit: what kinds of statements an application sends, how often, at what cost, and which of them are
 * not scoped to one tenant.
 *
 * Each worker owns a ledger. An entry stands for one statement shape by fingerprint with one verdict: texts
 * of one fingerprint may differ in theirs ("store_id = 5" and "store_id IN (5, 6)", or before and after a
 * stage change), and none may hide another's. An entry is made when the worker first meets it, and stays
 * where it is until the ledger is freed, so that the statement path counts through a pointer: relaxed
 * atomics, no lock, no look-up. Readers (console, log, report) take the ledger's lock, which is held
 * otherwise only while an entry is added or its decision changes, and merge the ledgers of all workers. Texts
 * are kept as valid UTF-8 whatever the client's encoding is (audit/sample.h).
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "rewrite/decide.h"

typedef struct AuditLedger AuditLedger;

typedef struct AuditEntry {
    uint64_t fingerprint;
    Verdict verdict;
    bool rewritten;
    const char *sample; /* text of the first one seen, cut; redacted if so configured */
    const char *const *tables;
    int ntables;
    const char *const *unscoped;
    int nunscoped;
    const char *reason; /* NULL without */
    const char *suggestion;
    const char *application; /* application_name and role of the session that first sent it */
    const char *role;
    _Atomic int64_t first_seen; /* microseconds since 1970 UTC; 0 before the first execution */
    _Atomic int64_t last_seen;
    _Atomic uint64_t calls;
    _Atomic uint64_t errors;
    _Atomic uint64_t
        total_us; /* latency as the client sees it: from the message's arrival to the end of its reply */
    _Atomic uint64_t max_us;
} AuditEntry;

/* What a new entry is made from; strings are copied. */
typedef struct AuditSubject {
    uint64_t fingerprint;
    const StatementDecision *decision;
    Str text;  /* this statement alone */
    Str shape; /* its normalised text, shown instead where redacting; may be empty */
    const char *application;
    const char *role;
} AuditSubject;

typedef struct AuditLimits {
    int max_entries;
    size_t sample_bytes;
    bool redact;
} AuditLimits;

AuditLedger *audit_new(AuditLimits limits) MUST_USE;
void audit_free(AuditLedger *ledger);

/* Finds or makes the entry of a subject's fingerprint and verdict; where the rest of the decision is another
 * one than it was, it is updated in place. When the ledger is full, all further ones share one overflow entry
 * (fingerprint 0, verdict opaque). *is_new is set when the entry was made, and always for the overflow entry,
 * which cannot know. Never NULL. Called by the owning worker only. */
AuditEntry *audit_entry(AuditLedger *ledger, const AuditSubject *subject, bool *is_new);

/* Counts one execution. Wait-free; called by the owning worker only. now_us: microseconds since 1970. */
void audit_count(AuditEntry *entry, uint64_t latency_us, bool failed, int64_t now_us);

/* A merged copy for reading: entries of all ledgers, summed by fingerprint and verdict, in `arena`. Where
 * they differ in more than counts, the decision is that of the entry last used, and the rest that of the one
 * first seen. */
typedef struct AuditRow {
    uint64_t fingerprint;
    Verdict verdict;
    bool rewritten;
    const char *sample;
    const char *tables; /* "public.orders, public.line_items" */
    const char *unscoped;
    const char *reason;
    const char *suggestion;
    const char *application;
    const char *role;
    int64_t first_seen, last_seen;
    uint64_t calls, errors, total_us, max_us;
} AuditRow;

/* Sorted by total time, most expensive first. Returns the number of rows. */
int audit_collect(AuditLedger *const *ledgers, int nledgers, Arena *arena, AuditRow **rows);

#endif
