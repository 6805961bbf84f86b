/* The readers' side of the ledgers: copied entry by entry, and merged. */
#include <stdlib.h>
#include <string.h>

#include "audit/json.h"
#include "audit/ledger.h"

/* A reader gives way to the worker after so many entries. */
#define ENTRIES_PER_LOCK 64

#define LOAD LEDGER_LOAD

typedef struct MergedRow {
    AuditRow row;
    LedgerKey key;
    int clients_room;
    int64_t decision_seen; /* last_seen of the entry that the decision was taken from */
    int64_t maker_seen;    /* first_seen of the entry that the maker was taken from */
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
    row->citus_error = copy_text(arena, e->citus_error);
    row->note = copy_text(arena, e->note);
    row->refused = copy_text(arena, e->refused);
    row->sample = copy_text(arena, e->sample);
    row->proposed = copy_text(arena, e->proposed);
    row->sent = copy_text(arena, e->sent);
}

static void take_maker(MergedRow *merged, const AuditEntry *e, int64_t seen, Arena *arena) {
    const AuditClient *maker = e->maker;

    merged->maker_seen = seen;
    merged->row.application = arena_strdup(arena, maker->application ? maker->application : "");
    merged->row.role = arena_strdup(arena, maker->role ? maker->role : "");
}

/* Whether a time is before another, where 0 is "never". */
static bool earlier(int64_t a, int64_t b) { return a != 0 && (b == 0 || a < b); }

/* ---- clients ---- */

static bool same_name(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static AuditRowClient *row_client(MergedRow *merged, const AuditClient *client, Arena *arena) {
    AuditRow *row = &merged->row;
    AuditRowClient *found;

    for (int i = 0; i < row->nclients; i++) {
        if (same_name(row->clients[i].application, client->application) &&
            same_name(row->clients[i].role, client->role))
            return &row->clients[i];
    }
    if (row->nclients == merged->clients_room) {
        int room = merged->clients_room ? merged->clients_room * 2 : 2;
        AuditRowClient *more = ARENA_ARRAY(arena, AuditRowClient, room);

        for (int i = 0; i < row->nclients; i++)
            more[i] = row->clients[i];
        row->clients = more;
        merged->clients_room = room;
    }
    found = &row->clients[row->nclients++];
    found->application = copy_text(arena, client->application);
    found->role = copy_text(arena, client->role);
    return found;
}

/* Adds what a share counted to the row and to its client's part, the same numbers to both. */
static void add_share(MergedRow *merged, const AuditShare *share, Arena *arena) {
    AuditRowClient *client = row_client(merged, share->client, arena);
    AuditRow *row = &merged->row;
    const struct {
        uint64_t *whole, *part;
        uint64_t n;
    } SUMS[] = {
        {&row->calls, &client->calls, LOAD(share->calls)},
        {&row->errors, &client->errors, LOAD(share->errors)},
        {&row->total_us, &client->total_us, LOAD(share->total_us)},
        {&row->blocked, &client->blocked, LOAD(share->blocked)},
        {&row->noticed, &client->noticed, LOAD(share->noticed)},
    };

    for (size_t i = 0; i < sizeof(SUMS) / sizeof(SUMS[0]); i++) {
        *SUMS[i].whole += SUMS[i].n;
        *SUMS[i].part += SUMS[i].n;
    }
}

/* ---- entries ---- */

static MergedRow *merged_row(MergedRow **rows, const LedgerEntry *entry, bool overflow, Arena *arena) {
    MergedRow *merged = NULL;

    /* The overflow rows come last, so that only they can meet one. */
    if (overflow) {
        for (MergedRow *r = *rows; r && !merged; r = r->hh.next)
            merged = r->overflow ? r : NULL;
    } else {
        HASH_FIND(hh, *rows, &entry->key, sizeof(entry->key), merged);
    }
    if (merged)
        return merged;
    merged = ARENA_NEW(arena, MergedRow);
    merged->key = entry->key;
    merged->overflow = overflow;
    merged->row.fingerprint = entry->public.fingerprint;
    HASH_ADD(hh, *rows, key, sizeof(merged->key), merged);
    return merged;
}

/* Adds an entry to the row of its key. The entry's ledger is locked. */
static void merge_entry(MergedRow **rows, const LedgerEntry *entry, bool overflow, Arena *arena) {
    const AuditEntry *e = &entry->public;
    int64_t first = LOAD(e->first_seen), last = LOAD(e->last_seen);
    uint64_t max = LOAD(e->max_us);
    MergedRow *merged = merged_row(rows, entry, overflow, arena);
    AuditRow *row = &merged->row;

    if (!row->sample || last > merged->decision_seen)
        take_decision(merged, e, last, arena);
    if (!row->application || earlier(first, merged->maker_seen))
        take_maker(merged, e, first, arena);
    if (earlier(first, row->first_seen))
        row->first_seen = first;
    if (last > row->last_seen)
        row->last_seen = last;
    if (max > row->max_us)
        row->max_us = max;
    for (const AuditShare *share = atomic_load_explicit(&e->shares, memory_order_acquire); share;
         share = share->next)
        add_share(merged, share, arena);
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

/* ---- rows ---- */

static int compare_numbers(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int by_cost(const void *a, const void *b) {
    const AuditRow *x = a, *y = b;

    if (x->total_us != y->total_us)
        return compare_numbers(y->total_us, x->total_us);
    if (x->calls != y->calls)
        return compare_numbers(y->calls, x->calls);
    if (x->fingerprint != y->fingerprint)
        return compare_numbers(x->fingerprint, y->fingerprint);
    return (int)x->verdict - (int)y->verdict;
}

static int compare_names(const char *a, const char *b) {
    return a && b ? strcmp(a, b) : (a == NULL) - (b == NULL);
}

static int clients_by_cost(const void *a, const void *b) {
    const AuditRowClient *x = a, *y = b;
    int names = compare_names(x->application, y->application);

    if (x->total_us != y->total_us)
        return compare_numbers(y->total_us, x->total_us);
    if (x->calls != y->calls)
        return compare_numbers(y->calls, x->calls);
    return names ? names : compare_names(x->role, y->role);
}

int audit_collect(AuditLedger *const *ledgers, int nledgers, Arena *arena, AuditRow **rows) {
    MergedRow *merged = NULL;
    int n = 0;

    for (int i = 0; i < nledgers; i++)
        merge_ledger(ledgers[i], &merged, arena);
    for (int i = 0; i < nledgers; i++)
        merge_overflow(ledgers[i], &merged, arena);

    *rows = ARENA_ARRAY(arena, AuditRow, HASH_COUNT(merged) + 1);
    for (MergedRow *r = merged; r; r = r->hh.next) {
        if (r->row.nclients > 1)
            qsort(r->row.clients, (size_t)r->row.nclients, sizeof(AuditRowClient), clients_by_cost);
        (*rows)[n++] = r->row;
    }
    HASH_CLEAR(hh, merged);
    qsort(*rows, (size_t)n, sizeof(AuditRow), by_cost);
    return n;
}

const char *audit_clients_json(const AuditRow *row, Arena *arena) {
    Buf json = {0};
    const char *copy;

    buf_append_cstr(&json, "[");
    for (int i = 0; i < row->nclients; i++) {
        const AuditRowClient *c = &row->clients[i];

        buf_append_cstr(&json, i > 0 ? ",{\"application\":" : "{\"application\":");
        json_append_value(&json, c->application);
        json_append_member(&json, "user", c->role);
        buf_printf(
            &json,
            ",\"calls\":%llu,\"errors\":%llu,\"total_ms\":%llu.%03u,\"blocked\":%llu,\"noticed\":%llu}",
            (unsigned long long)c->calls, (unsigned long long)c->errors,
            (unsigned long long)(c->total_us / 1000), (unsigned)(c->total_us % 1000),
            (unsigned long long)c->blocked, (unsigned long long)c->noticed);
    }
    buf_append_cstr(&json, "]");
    copy = arena_strndup(arena, (const char *)buf_ptr(&json), buf_len(&json));
    buf_free(&json);
    return copy;
}
