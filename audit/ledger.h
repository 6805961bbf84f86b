/* A ledger from within: what its owner writes (audit.c) and others read (collect.c).
 *
 * The owning worker is the only writer. Everything that it changes after an entry has been published is
 * either an atomic counter or changed under the lock, so that the worker itself reads without the lock and
 * all others with it. Shares are never removed, and a new one is complete when the list's head points to it.
 */
#ifndef AUDIT_LEDGER_H
#define AUDIT_LEDGER_H

#include <pthread.h>

#include "audit/audit.h"
#include "audit/hash.h"
#include "base/buf.h"

/* Without padding, so that it can be hashed as it lies there. */
typedef struct LedgerKey {
    uint64_t fingerprint;
    uint64_t verdict;
} LedgerKey;

typedef struct LedgerEntry {
    AuditEntry public; /* first, so that a pointer to it is one to the whole */
    LedgerKey key;
    void *details; /* owned: what a decision says, in one block */
    UT_hash_handle hh;
} LedgerEntry;

struct AuditClient {
    AuditLedger *ledger;
    const char *application; /* valid UTF-8; both NULL in the client that stands for the rest */
    const char *role;
    const char *key; /* the two as they came, "application\0role" */
    UT_hash_handle hh;
};

struct AuditLedger {
    AuditLimits limits;
    pthread_mutex_t lock;
    Arena *arena;          /* owned: entries, clients and shares */
    LedgerEntry *index;    /* uthash; walked in the order of insertion */
    LedgerEntry *overflow; /* NULL until needed */
    AuditClient *clients;  /* uthash; the worker's */
    AuditClient others;
    Buf scratch;
};

#define LEDGER_LOAD(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

#endif
