/* The ledger: entries in an arena, found through a hash table by fingerprint and verdict.
 *
 * The owning worker is the only writer. Everything that it changes after an entry has been published is
 * either an atomic counter or changed under the lock, so that the worker itself reads without the lock and
 * all others with it. What a decision says of an entry can change, and so lies in a block of its own that is
 * replaced. */
#include "audit/audit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "audit/hash.h"
#include "audit/sample.h"
#include "base/buf.h"
#include "base/mem.h"

/* A reader gives way to the worker after so many entries. */
#define ENTRIES_PER_LOCK 64

/* Without padding, so that it can be hashed as it lies there. */
typedef struct EntryKey {
    uint64_t fingerprint;
    uint64_t verdict;
} EntryKey;

static EntryKey key_of(uint64_t fingerprint, Verdict verdict) {
    return (EntryKey){.fingerprint = fingerprint, .verdict = verdict};
}

typedef struct LedgerEntry {
    AuditEntry public; /* first, so that a pointer to it is one to the whole */
    EntryKey key;
    void *details; /* owned: tables, unscoped, reason and suggestion of `public` */
    UT_hash_handle hh;
} LedgerEntry;

struct AuditLedger {
    AuditLimits limits;
    pthread_mutex_t lock;
    Arena *arena;          /* owned: entries and their lasting strings */
    LedgerEntry *index;    /* uthash; walked in the order of insertion */
    LedgerEntry *overflow; /* NULL until needed */
    Buf scratch;
};

AuditLedger *audit_new(AuditLimits limits) {
    AuditLedger *ledger = MEM_NEW(AuditLedger);

    ledger->limits = limits;
    pthread_mutex_init(&ledger->lock, NULL);
    ledger->arena = arena_new();
    return ledger;
}

void audit_free(AuditLedger *ledger) {
    if (!ledger)
        return;
    for (LedgerEntry *e = ledger->index; e; e = e->hh.next)
        free(e->details);
    HASH_CLEAR(hh, ledger->index);
    if (ledger->overflow)
        free(ledger->overflow->details);
    arena_free(ledger->arena);
    buf_free(&ledger->scratch);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger);
}

/* ---- what a decision says ---- */

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_list(const char *const *a, int na, const char *const *b, int nb) {
    if (na != nb)
        return false;
    for (int i = 0; i < na; i++) {
        if (strcmp(a[i], b[i]) != 0)
            return false;
    }
    return true;
}

static bool says(const AuditEntry *e, const StatementDecision *d) {
    return e->verdict == d->verdict && e->rewritten == d->rewritten && same_text(e->reason, d->reason) &&
           same_text(e->suggestion, d->suggestion) &&
           same_list(e->tables, e->ntables, d->tables, d->ntables) &&
           same_list(e->unscoped, e->nunscoped, d->unscoped, d->nunscoped);
}

static size_t text_size(const char *s) { return s ? strlen(s) + 1 : 0; }

static size_t list_size(const char *const *list, int n) {
    size_t size = sizeof(char *) * (size_t)n;

    for (int i = 0; i < n; i++)
        size += text_size(list[i]);
    return size;
}

static const char *pack_text(char **room, const char *s) {
    char *copy = *room;

    if (!s)
        return NULL;
    memcpy(copy, s, strlen(s) + 1);
    *room += strlen(s) + 1;
    return copy;
}

static const char *const *pack_list(const char **slots, char **room, const char *const *list, int n) {
    for (int i = 0; i < n; i++)
        slots[i] = pack_text(room, list[i]);
    return slots;
}

/* Writes a decision into an entry. The caller holds the lock if the entry is published. */
static void set_decision(LedgerEntry *entry, const StatementDecision *d) {
    AuditEntry *e = &entry->public;
    size_t size = list_size(d->tables, d->ntables) + list_size(d->unscoped, d->nunscoped) +
                  text_size(d->reason) + text_size(d->suggestion);
    const char **slots = mem_alloc(size + 1);
    char *room = (char *)(slots + d->ntables + d->nunscoped);

    free(entry->details);
    entry->details = slots;
    e->verdict = d->verdict;
    e->rewritten = d->rewritten;
    e->tables = pack_list(slots, &room, d->tables, d->ntables);
    e->ntables = d->ntables;
    e->unscoped = pack_list(slots + d->ntables, &room, d->unscoped, d->nunscoped);
    e->nunscoped = d->nunscoped;
    e->reason = pack_text(&room, d->reason);
    e->suggestion = pack_text(&room, d->suggestion);
}

/* ---- the worker's side ---- */

static const char *keep_text(AuditLedger *ledger, const char *s) {
    buf_clear(&ledger->scratch);
    sample_append_text(&ledger->scratch, str_of(s));
    return arena_strndup(ledger->arena, (const char *)buf_ptr(&ledger->scratch), buf_len(&ledger->scratch));
}

static AuditEntry *add_entry(AuditLedger *ledger, const AuditSubject *subject) {
    LedgerEntry *entry = ARENA_NEW(ledger->arena, LedgerEntry);
    AuditEntry *e = &entry->public;

    e->fingerprint = subject->fingerprint;
    set_decision(entry, subject->decision);
    entry->key = key_of(subject->fingerprint, subject->decision->verdict);
    e->application = keep_text(ledger, subject->application ? subject->application : "");
    e->role = keep_text(ledger, subject->role ? subject->role : "");
    buf_clear(&ledger->scratch);
    sample_append(&ledger->scratch, subject, &ledger->limits);
    e->sample =
        arena_strndup(ledger->arena, (const char *)buf_ptr(&ledger->scratch), buf_len(&ledger->scratch));

    pthread_mutex_lock(&ledger->lock);
    HASH_ADD(hh, ledger->index, key, sizeof(entry->key), entry);
    pthread_mutex_unlock(&ledger->lock);
    return e;
}

static AuditEntry *overflow_entry(AuditLedger *ledger) {
    static const StatementDecision OVERFLOW = {
        .verdict = VERDICT_OPAQUE,
        .reason = "there are more statement shapes than [audit] fingerprints allows to keep"};

    if (!ledger->overflow) {
        LedgerEntry *entry = ARENA_NEW(ledger->arena, LedgerEntry);

        set_decision(entry, &OVERFLOW);
        entry->public.sample = "(all further statement shapes)";
        entry->public.application = entry->public.role = "";
        pthread_mutex_lock(&ledger->lock);
        ledger->overflow = entry;
        pthread_mutex_unlock(&ledger->lock);
    }
    return &ledger->overflow->public;
}

AuditEntry *audit_entry(AuditLedger *ledger, const AuditSubject *subject, bool *is_new) {
    const StatementDecision *decision = subject->decision;
    EntryKey key = key_of(subject->fingerprint, decision->verdict);
    LedgerEntry *entry;

    HASH_FIND(hh, ledger->index, &key, sizeof(key), entry);
    *is_new = entry == NULL;
    if (!entry) {
        if (HASH_COUNT(ledger->index) >= (unsigned)ledger->limits.max_entries)
            return overflow_entry(ledger);
        return add_entry(ledger, subject);
    }
    if (!says(&entry->public, decision)) {
        pthread_mutex_lock(&ledger->lock);
        set_decision(entry, decision);
        pthread_mutex_unlock(&ledger->lock);
    }
    return &entry->public;
}

#define LOAD(counter) atomic_load_explicit(&(counter), memory_order_relaxed)
#define STORE(counter, value) atomic_store_explicit(&(counter), (value), memory_order_relaxed)

/* With one writer a load and a store do what an atomic addition would, without locking the bus. */
void audit_count(AuditEntry *entry, uint64_t latency_us, bool failed, int64_t now_us) {
    uint64_t calls = LOAD(entry->calls);

    if (calls == 0)
        STORE(entry->first_seen, now_us);
    STORE(entry->calls, calls + 1);
    STORE(entry->last_seen, now_us);
    if (failed)
        STORE(entry->errors, LOAD(entry->errors) + 1);
    STORE(entry->total_us, LOAD(entry->total_us) + latency_us);
    if (latency_us > LOAD(entry->max_us))
        STORE(entry->max_us, latency_us);
}

/* ---- the readers' side ---- */

typedef struct MergedRow {
    AuditRow row;
    EntryKey key;
    int64_t decision_seen; /* last_seen of the entry that the decision was taken from */
    int64_t made_seen;     /* first_seen of the entry that the rest was taken from */
    bool overflow;
    UT_hash_handle hh;
} MergedRow;

static const char *join(Arena *arena, const char *const *list, int n) {
    Buf buf = {0};
    const char *joined;

    for (int i = 0; i < n; i++)
        buf_printf(&buf, "%s%s", i ? ", " : "", list[i]);
    joined = arena_strndup(arena, buf.data ? (const char *)buf_ptr(&buf) : "", buf_len(&buf));
    buf_free(&buf);
    return joined;
}

static const char *copy_text(Arena *arena, const char *s) { return s ? arena_strdup(arena, s) : NULL; }

static void take_decision(MergedRow *merged, const AuditEntry *e, int64_t seen, Arena *arena) {
    AuditRow *row = &merged->row;

    merged->decision_seen = seen;
    row->verdict = e->verdict;
    row->rewritten = e->rewritten;
    row->tables = join(arena, e->tables, e->ntables);
    row->unscoped = join(arena, e->unscoped, e->nunscoped);
    row->reason = copy_text(arena, e->reason);
    row->suggestion = copy_text(arena, e->suggestion);
}

static void take_making(MergedRow *merged, const AuditEntry *e, int64_t seen, Arena *arena) {
    merged->made_seen = seen;
    merged->row.sample = copy_text(arena, e->sample);
    merged->row.application = copy_text(arena, e->application);
    merged->row.role = copy_text(arena, e->role);
}

/* Whether a time is before another, where 0 is "never". */
static bool earlier(int64_t a, int64_t b) { return a != 0 && (b == 0 || a < b); }

/* Adds an entry to the row of its key. The entry's ledger is locked. */
static void merge_entry(MergedRow **rows, const LedgerEntry *entry, bool overflow, Arena *arena) {
    const AuditEntry *e = &entry->public;
    int64_t first = LOAD(e->first_seen), last = LOAD(e->last_seen);
    uint64_t max = LOAD(e->max_us);
    MergedRow *merged = NULL;

    /* The overflow rows come last, so that only they can meet one. */
    if (overflow) {
        for (MergedRow *r = *rows; r && !merged; r = r->hh.next)
            merged = r->overflow ? r : NULL;
    } else {
        HASH_FIND(hh, *rows, &entry->key, sizeof(entry->key), merged);
    }
    if (!merged) {
        merged = ARENA_NEW(arena, MergedRow);
        merged->key = entry->key;
        merged->overflow = overflow;
        merged->row.fingerprint = e->fingerprint;
        take_decision(merged, e, last, arena);
        take_making(merged, e, first, arena);
        HASH_ADD(hh, *rows, key, sizeof(merged->key), merged);
    } else {
        if (last > merged->decision_seen)
            take_decision(merged, e, last, arena);
        if (earlier(first, merged->made_seen))
            take_making(merged, e, first, arena);
    }
    merged->row.first_seen = merged->made_seen;
    if (last > merged->row.last_seen)
        merged->row.last_seen = last;
    merged->row.calls += LOAD(e->calls);
    merged->row.errors += LOAD(e->errors);
    merged->row.total_us += LOAD(e->total_us);
    if (max > merged->row.max_us)
        merged->row.max_us = max;
}

static void merge_ledger(AuditLedger *ledger, MergedRow **rows, Arena *arena) {
    LedgerEntry *next;

    pthread_mutex_lock(&ledger->lock);
    next = ledger->index;
    for (int n = 1; next; n++, next = next->hh.next) {
        if (n % ENTRIES_PER_LOCK == 0) {
            pthread_mutex_unlock(&ledger->lock);
            pthread_mutex_lock(&ledger->lock);
        }
        merge_entry(rows, next, false, arena);
    }
    pthread_mutex_unlock(&ledger->lock);
}

static void merge_overflow(AuditLedger *ledger, MergedRow **rows, Arena *arena) {
    pthread_mutex_lock(&ledger->lock);
    if (ledger->overflow)
        merge_entry(rows, ledger->overflow, true, arena);
    pthread_mutex_unlock(&ledger->lock);
}

static int by_cost(const void *a, const void *b) {
    const AuditRow *x = a, *y = b;

    if (x->total_us != y->total_us)
        return x->total_us > y->total_us ? -1 : 1;
    if (x->calls != y->calls)
        return x->calls > y->calls ? -1 : 1;
    if (x->fingerprint != y->fingerprint)
        return x->fingerprint < y->fingerprint ? -1 : 1;
    return (int)x->verdict - (int)y->verdict;
}

int audit_collect(AuditLedger *const *ledgers, int nledgers, Arena *arena, AuditRow **rows) {
    MergedRow *merged = NULL;
    int n = 0;

    for (int i = 0; i < nledgers; i++)
        merge_ledger(ledgers[i], &merged, arena);
    for (int i = 0; i < nledgers; i++)
        merge_overflow(ledgers[i], &merged, arena);

    *rows = ARENA_ARRAY(arena, AuditRow, HASH_COUNT(merged) + 1);
    for (MergedRow *r = merged; r; r = r->hh.next)
        (*rows)[n++] = r->row;
    HASH_CLEAR(hh, merged);
    qsort(*rows, (size_t)n, sizeof(AuditRow), by_cost);
    return n;
}
