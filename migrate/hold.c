/* Asking for a hold. Whatever fails here only makes the lock harder to get: it is not reported. */
#include "migrate/hold.h"

#include "catalog/request.h"
#include "migrate/session.h"

/* From the notification until the proxies hold: they have to be woken and to read what is asked. */
#define MOMENT_MS 8

void hold_begin(const Migration *migration, const Table *const *tables, int ntables) {
    Error ignored;

    if (migration->config->lock_hold > 0 &&
        request_hold(migration->conn, tables, ntables, migration->config->lock_hold, &ignored))
        session_sleep(MOMENT_MS);
}

void hold_end(const Migration *migration) {
    Error ignored;
    bool released = migration->config->lock_hold == 0 || request_release(migration->conn, &ignored);

    (void)released; /* else it ends by itself */
}
