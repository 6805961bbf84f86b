/* The worker's side of the ledger: entries in an arena, found through a hash table by fingerprint and
 * verdict, and counting. What a decision says of an entry can change, and so lies in a block of its own that
 * is replaced. */
#include "audit/audit.h"

#include <stdlib.h>
#include <string.h>

#include "audit/ledger.h"
#include "audit/sample.h"
#include "base/mem.h"

/* Clients that a ledger tells apart, and of these an entry: applications that name themselves after their
 * process or task are without number. */
#define CLIENTS_MAX 1000
#define SHARES_MAX 32

AuditLedger *audit_new(AuditLimits limits) {
    AuditLedger *ledger = MEM_NEW(AuditLedger);

    ledger->limits = limits;
    pthread_mutex_init(&ledger->lock, NULL);
    ledger->arena = arena_new();
    ledger->others.ledger = ledger;
    return ledger;
}

void audit_free(AuditLedger *ledger) {
    if (!ledger)
        return;
    for (LedgerEntry *e = ledger->index; e; e = e->hh.next)
        free(e->details);
    HASH_CLEAR(hh, ledger->index);
    HASH_CLEAR(hh, ledger->clients);
    if (ledger->overflow)
        free(ledger->overflow->details);
    arena_free(ledger->arena);
    buf_free(&ledger->scratch);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger);
}

/* ---- clients ---- */

static const char *keep_text(AuditLedger *ledger, const char *s) {
    buf_clear(&ledger->scratch);
    sample_append_text(&ledger->scratch, str_of(s));
    return arena_strndup(ledger->arena, (const char *)buf_ptr(&ledger->scratch), buf_len(&ledger->scratch));
}

AuditClient *audit_client(AuditLedger *ledger, const char *application, const char *role) {
    Buf *key = &ledger->scratch;
    AuditClient *client;

    application = application ? application : "";
    role = role ? role : "";
    buf_clear(key);
    buf_put_cstr(key, application);
    buf_put_cstr(key, role);
    HASH_FIND(hh, ledger->clients, buf_ptr(key), buf_len(key), client);
    if (client)
        return client;
    if (HASH_COUNT(ledger->clients) >= CLIENTS_MAX)
        return &ledger->others;
    client = ARENA_NEW(ledger->arena, AuditClient);
    client->ledger = ledger;
    client->key = arena_strndup(ledger->arena, (const char *)buf_ptr(key), buf_len(key));
    HASH_ADD_KEYPTR(hh, ledger->clients, client->key, buf_len(key), client);
    client->application = keep_text(ledger, application);
    client->role = keep_text(ledger, role);
    return client;
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

static const char *refusal_of(const StatementDecision *d) { return d->refusal ? d->refusal->message : NULL; }

static bool says(const AuditEntry *e, const StatementDecision *d) {
    return e->verdict == d->verdict && e->rewritten == d->rewritten && same_text(e->reason, d->reason) &&
           same_text(e->suggestion, d->suggestion) && same_text(e->citus_error, d->citus_error) &&
           same_text(e->note, d->rewrite_note) && same_text(e->refused, refusal_of(d)) &&
           (e->proposed != NULL) == d->proposed && same_list(e->tables, e->ntables, d->tables, d->ntables) &&
           same_list(e->unscoped, e->nunscoped, d->unscoped, d->nunscoped);
}

/* Appends to the block that is being made; text_at finds it once that has its place. */
typedef struct Packed {
    size_t offset;
    bool present;
} Packed;

static Packed pack(Buf *block, const char *s) {
    Packed packed = {.offset = buf_len(block), .present = s != NULL};

    if (s)
        buf_put_cstr(block, s);
    return packed;
}

static Packed pack_sample(Buf *block, const AuditLedger *ledger, const AuditSubject *subject) {
    Packed packed = {.offset = buf_len(block), .present = true};

    sample_append(block, subject, &ledger->limits);
    buf_put_u8(block, 0);
    return packed;
}

/* A mended text has no shape at hand, and is longer than the one that it was made from. */
static Packed pack_mended(Buf *block, const AuditLedger *ledger, bool present, Str text) {
    const AuditSubject subject = {.text = text};
    AuditLimits limits = ledger->limits;
    Packed packed = {.offset = buf_len(block), .present = present};

    if (!present)
        return packed;
    limits.sample_bytes *= 2;
    sample_append(block, &subject, &limits);
    buf_put_u8(block, 0);
    return packed;
}

static const char *text_at(const char *block, Packed packed) {
    return packed.present ? block + packed.offset : NULL;
}

/* Fills `slots` with the strings that lie one behind the other from `packed` on. */
static const char *const *list_at(const char **slots, const char *block, Packed packed, int n) {
    const char *s = block + packed.offset;

    for (int i = 0; i < n; i++) {
        slots[i] = s;
        s += strlen(s) + 1;
    }
    return slots;
}

static Packed pack_list(Buf *block, const char *const *list, int n) {
    Packed packed = {.offset = buf_len(block), .present = true};

    for (int i = 0; i < n; i++)
        buf_put_cstr(block, list[i]);
    return packed;
}

/* Writes a decision and its texts into an entry. `published`: others may be reading it. */
static void set_decision(AuditLedger *ledger, LedgerEntry *entry, const AuditSubject *subject,
                         bool published) {
    const StatementDecision *d = subject->decision;
    AuditEntry *e = &entry->public;
    Buf texts = {0};
    Packed tables = pack_list(&texts, d->tables, d->ntables);
    Packed unscoped = pack_list(&texts, d->unscoped, d->nunscoped);
    Packed reason = pack(&texts, d->reason), suggestion = pack(&texts, d->suggestion);
    Packed citus_error = pack(&texts, d->citus_error), note = pack(&texts, d->rewrite_note);
    Packed refused = pack(&texts, refusal_of(d)), sample = pack_sample(&texts, ledger, subject);
    Packed proposed = pack_mended(&texts, ledger, d->proposed, subject->proposed);
    Packed sent = pack_mended(&texts, ledger, subject->sent.ptr != NULL, subject->sent);
    size_t slots_size = sizeof(char *) * (size_t)(d->ntables + d->nunscoped);
    const char **slots = mem_alloc(slots_size + buf_len(&texts));
    char *block = (char *)slots + slots_size;

    memcpy(block, buf_ptr(&texts), buf_len(&texts));
    buf_free(&texts);
    if (published)
        pthread_mutex_lock(&ledger->lock);
    free(entry->details);
    entry->details = slots;
    e->verdict = d->verdict;
    e->rewritten = d->rewritten;
    e->tables = list_at(slots, block, tables, d->ntables);
    e->ntables = d->ntables;
    e->unscoped = list_at(slots + d->ntables, block, unscoped, d->nunscoped);
    e->nunscoped = d->nunscoped;
    e->reason = text_at(block, reason);
    e->suggestion = text_at(block, suggestion);
    e->citus_error = text_at(block, citus_error);
    e->note = text_at(block, note);
    e->refused = text_at(block, refused);
    e->sample = text_at(block, sample);
    e->proposed = text_at(block, proposed);
    e->sent = text_at(block, sent);
    if (published)
        pthread_mutex_unlock(&ledger->lock);
}

/* ---- entries ---- */

static AuditEntry *add_entry(AuditLedger *ledger, const AuditSubject *subject, LedgerKey key) {
    LedgerEntry *entry = ARENA_NEW(ledger->arena, LedgerEntry);
    AuditEntry *e = &entry->public;

    entry->key = key;
    e->fingerprint = subject->fingerprint;
    e->maker = audit_client(ledger, subject->application, subject->role);
    set_decision(ledger, entry, subject, false);
    pthread_mutex_lock(&ledger->lock);
    HASH_ADD(hh, ledger->index, key, sizeof(entry->key), entry);
    pthread_mutex_unlock(&ledger->lock);
    return e;
}

static AuditEntry *overflow_entry(AuditLedger *ledger) {
    static const StatementDecision OVERFLOW = {
        .verdict = VERDICT_OPAQUE,
        .reason = "there are more statement shapes than [audit] fingerprints allows to keep"};
    static const AuditSubject ALL = {.decision = &OVERFLOW};

    if (!ledger->overflow) {
        LedgerEntry *entry = ARENA_NEW(ledger->arena, LedgerEntry);

        set_decision(ledger, entry, &ALL, false);
        entry->public.sample = "(all further statement shapes)";
        entry->public.maker = &ledger->others;
        pthread_mutex_lock(&ledger->lock);
        ledger->overflow = entry;
        pthread_mutex_unlock(&ledger->lock);
    }
    return &ledger->overflow->public;
}

AuditEntry *audit_entry(AuditLedger *ledger, const AuditSubject *subject, bool *is_new) {
    LedgerKey key = {.fingerprint = subject->fingerprint, .verdict = subject->decision->verdict};
    LedgerEntry *entry;

    HASH_FIND(hh, ledger->index, &key, sizeof(key), entry);
    *is_new = entry == NULL;
    if (!entry) {
        if (HASH_COUNT(ledger->index) >= (unsigned)ledger->limits.max_entries)
            return overflow_entry(ledger);
        return add_entry(ledger, subject, key);
    }
    if (!says(&entry->public, subject->decision))
        set_decision(ledger, entry, subject, true);
    return &entry->public;
}

/* ---- counting ---- */

#define LOAD LEDGER_LOAD
#define STORE(counter, value) atomic_store_explicit(&(counter), (value), memory_order_relaxed)
/* With one writer a load and a store do what an atomic addition would, without locking the bus. */
#define ADD(counter, n) STORE(counter, LOAD(counter) + (n))

static AuditShare *find_share(const AuditEntry *entry, const AuditClient *client) {
    AuditShare *share = LOAD(entry->shares);

    while (share && share->client != client)
        share = share->next;
    return share;
}

static AuditShare *add_share(AuditEntry *entry, const AuditClient *client) {
    AuditShare *share = ARENA_NEW(client->ledger->arena, AuditShare);

    share->client = client;
    share->next = LOAD(entry->shares);
    atomic_store_explicit(&entry->shares, share, memory_order_release);
    entry->nshares++;
    return share;
}

static AuditShare *share_of(AuditEntry *entry, AuditClient *client) {
    AuditShare *share = entry->recent;

    if (share && share->client == client)
        return share;
    share = find_share(entry, client);
    if (!share && entry->nshares >= SHARES_MAX) {
        client = &client->ledger->others;
        share = find_share(entry, client);
    }
    if (!share)
        share = add_share(entry, client);
    entry->recent = share;
    return share;
}

static void note_time(AuditEntry *entry, int64_t now_us) {
    if (LOAD(entry->first_seen) == 0)
        STORE(entry->first_seen, now_us);
    STORE(entry->last_seen, now_us);
}

void audit_count(AuditEntry *entry, AuditClient *client, uint64_t latency_us, bool failed, int64_t now_us) {
    AuditShare *share = share_of(entry, client);

    note_time(entry, now_us);
    ADD(share->calls, 1);
    if (failed)
        ADD(share->errors, 1);
    ADD(share->total_us, latency_us);
    if (latency_us > LOAD(entry->max_us))
        STORE(entry->max_us, latency_us);
}

void audit_count_blocked(AuditEntry *entry, AuditClient *client, int64_t now_us) {
    AuditShare *share = share_of(entry, client);

    note_time(entry, now_us);
    ADD(share->blocked, 1);
}

void audit_count_noticed(AuditEntry *entry, AuditClient *client) {
    AuditShare *share = share_of(entry, client);

    ADD(share->noticed, 1);
}
