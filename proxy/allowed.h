/* The allow-list in force: statements that no mode applies to.
 *
 * Entries come from the file's section [allow] and from the console; the latter last until the proxy stops.
 * There is one Allowed for each fingerprint that was ever allowed, and it stays where it is as long as the
 * list, so that a plan keeps the pointer and the statement path reads it without a lock: it looks an entry up
 * only when a new fingerprint has come since. Anything else is under the list's lock. */
#ifndef PROXY_ALLOWED_H
#define PROXY_ALLOWED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/config.h"

typedef struct Allowed Allowed;

typedef struct AllowedList {
    pthread_mutex_t lock;
    Allowed *entries;            /* uthash table, owned */
    _Atomic uint64_t generation; /* grows with each new fingerprint; never 0 */
} AllowedList;

/* What a plan remembers of one statement; zeroed at first. */
typedef struct AllowedSlot {
    uint64_t generation;
    Allowed *entry; /* NULL: not in the list of that generation */
} AllowedSlot;

/* One reason for a statement to be allowed, as SHOW ALLOWED lists it. */
typedef struct AllowedRow {
    uint64_t fingerprint;
    int64_t until_us;    /* ALLOW_FOREVER */
    int line;            /* in the file; 0: from the console */
    const char *by;      /* of the console: who; else NULL */
    const char *reason;  /* NULL */
    uint64_t hits;       /* of the fingerprint: what it let pass */
    int64_t last_hit_us; /* 0: none */
} AllowedRow;

void allowed_init(AllowedList *list);
void allowed_free(AllowedList *list);

/* Puts the file's entries in the place of those of an older file, and logs those that are over. */
void allowed_load(AllowedList *list, const Config *config);

/* The console's entry of a fingerprint; an older one is replaced. by: who allows it. */
void allowed_put(AllowedList *list, uint64_t fingerprint, int64_t until_us, const char *by);
/* Takes the console's entry out. Fails where there is none; that of the file is the file's alone. */
MUST_USE bool allowed_remove(AllowedList *list, uint64_t fingerprint, const Config *config, Error *err);

/* Whether a statement is allowed now (microseconds since 1970 UTC); counted, if it is. From any thread, with
 * a slot that only this thread uses. */
bool allowed_pass(AllowedList *list, AllowedSlot *slot, uint64_t fingerprint, int64_t now_us) MUST_USE;

/* Calls `row` for each entry, in the order in which their fingerprints came, with the list locked. */
typedef void AllowedVisit(const AllowedRow *row, void *arg);
void allowed_visit(AllowedList *list, AllowedVisit *visit, void *arg);

#endif
