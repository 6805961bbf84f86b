/* The list of allowed statements. */
#include "proxy/allowed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/log.h"
#include "base/mem.h"

/* No time at all: the source does not allow the statement. */
#define NEVER INT64_MIN

struct Allowed {
    uint64_t fingerprint;
    _Atomic int64_t until_us; /* the later of the two below */
    _Atomic uint64_t hits;
    _Atomic int64_t last_hit_us;
    /* Under the lock: */
    int64_t file_until_us; /* NEVER: the file does not have it */
    int line;
    char *reason;             /* owned; NULL */
    int64_t console_until_us; /* NEVER: nobody has allowed it on the console */
    char *by;                 /* owned */
    UT_hash_handle hh;
};

void allowed_init(AllowedList *list) {
    pthread_mutex_init(&list->lock, NULL);
    list->entries = NULL;
    atomic_init(&list->generation, 1);
}

void allowed_free(AllowedList *list) {
    Allowed *a, *next;
    HASH_ITER(hh, list->entries, a, next) {
        HASH_DEL(list->entries, a);
        free(a->reason);
        free(a->by);
        free(a);
    }
    pthread_mutex_destroy(&list->lock);
}

static Allowed *find(const AllowedList *list, uint64_t fingerprint) {
    Allowed *a;
    HASH_FIND(hh, list->entries, &fingerprint, sizeof fingerprint, a);
    return a;
}

static Allowed *find_or_add(AllowedList *list, uint64_t fingerprint) {
    Allowed *a = find(list, fingerprint);
    if (a)
        return a;
    a = MEM_NEW(Allowed);
    a->fingerprint = fingerprint;
    a->file_until_us = a->console_until_us = NEVER;
    atomic_init(&a->until_us, NEVER);
    HASH_ADD(hh, list->entries, fingerprint, sizeof a->fingerprint, a);
    atomic_fetch_add(&list->generation, 1);
    return a;
}

static void settle(Allowed *a) {
    bool file = a->file_until_us >= a->console_until_us;
    atomic_store(&a->until_us, file ? a->file_until_us : a->console_until_us);
}

static void set_text(char **field, const char *text) {
    free(*field);
    *field = text ? mem_strdup(text) : NULL;
}

static int64_t wall_us(void) { return (int64_t)time(NULL) * 1000000; }

static void warn_expired(const Config *config, const AllowConfig *entry) {
    char *until = allow_show_until(entry->until_us);
    log_warning("%s:%d: statement %016" PRIx64 " is not allowed any more: that ended at %s", config->path,
                entry->line, entry->fingerprint, until);
    free(until);
}

void allowed_load(AllowedList *list, const Config *config) {
    pthread_mutex_lock(&list->lock);
    for (Allowed *a = list->entries; a; a = a->hh.next) {
        a->file_until_us = NEVER;
        a->line = 0;
        set_text(&a->reason, NULL);
    }
    for (int i = 0; i < config->nallowed; i++) {
        const AllowConfig *entry = &config->allowed[i];
        Allowed *a = find_or_add(list, entry->fingerprint);
        a->file_until_us = entry->until_us;
        a->line = entry->line;
        set_text(&a->reason, entry->reason);
    }
    for (Allowed *a = list->entries; a; a = a->hh.next)
        settle(a);
    pthread_mutex_unlock(&list->lock);
    for (int i = 0; i < config->nallowed; i++)
        if (config->allowed[i].until_us <= wall_us())
            warn_expired(config, &config->allowed[i]);
}

void allowed_put(AllowedList *list, uint64_t fingerprint, int64_t until_us, const char *by) {
    pthread_mutex_lock(&list->lock);
    Allowed *a = find_or_add(list, fingerprint);
    a->console_until_us = until_us;
    set_text(&a->by, by);
    settle(a);
    pthread_mutex_unlock(&list->lock);
}

bool allowed_remove(AllowedList *list, uint64_t fingerprint, const Config *config, Error *err) {
    pthread_mutex_lock(&list->lock);
    Allowed *a = find(list, fingerprint);
    bool found = a && a->console_until_us != NEVER;
    int line = a && a->file_until_us != NEVER ? a->line : 0;
    if (found) {
        a->console_until_us = NEVER;
        set_text(&a->by, NULL);
        settle(a);
    }
    pthread_mutex_unlock(&list->lock);
    if (found && line == 0)
        return true;
    error_set(err, SQLSTATE_FEATURE_NOT_SUPPORTED,
              line > 0 ? "statement %016" PRIx64 " is allowed by the configuration file"
                       : "statement %016" PRIx64 " is not allowed on the console",
              fingerprint);
    if (line > 0)
        error_hint(err, "Remove it from %s, line %d, and RELOAD.", config->path, line);
    else
        error_hint(err, "SHOW ALLOWED lists what is.");
    return false;
}

bool allowed_pass(AllowedList *list, AllowedSlot *slot, uint64_t fingerprint, int64_t now_us) {
    uint64_t generation = atomic_load(&list->generation);
    if (slot->generation != generation) {
        pthread_mutex_lock(&list->lock);
        slot->entry = find(list, fingerprint);
        slot->generation = atomic_load(&list->generation);
        pthread_mutex_unlock(&list->lock);
    }
    Allowed *a = slot->entry;
    if (!a || atomic_load_explicit(&a->until_us, memory_order_relaxed) <= now_us)
        return false;
    atomic_fetch_add_explicit(&a->hits, 1, memory_order_relaxed);
    atomic_store_explicit(&a->last_hit_us, now_us, memory_order_relaxed);
    return true;
}

void allowed_visit(AllowedList *list, AllowedVisit *visit, void *arg) {
    pthread_mutex_lock(&list->lock);
    for (const Allowed *a = list->entries; a; a = a->hh.next) {
        AllowedRow row = {.fingerprint = a->fingerprint,
                          .hits = atomic_load(&a->hits),
                          .last_hit_us = atomic_load(&a->last_hit_us)};
        if (a->file_until_us != NEVER) {
            row.until_us = a->file_until_us;
            row.line = a->line;
            row.reason = a->reason;
            visit(&row, arg);
        }
        if (a->console_until_us != NEVER) {
            row.until_us = a->console_until_us;
            row.line = 0;
            row.reason = NULL;
            row.by = a->by;
            visit(&row, arg);
        }
    }
    pthread_mutex_unlock(&list->lock);
}
