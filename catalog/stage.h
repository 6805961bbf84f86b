/* Epochs as they stand in the database: schema `shardferry`, the proxies' registrations, stage changes.
 *
 * All functions wait for the server's answer. They return false with `err` on any failure; a transaction that
 * they began is rolled back then. Times are the server's: a lease ends by its clock. */
#ifndef CATALOG_STAGE_H
#define CATALOG_STAGE_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "catalog/snapshot.h"

/* The channel on which each stage change is notified, the new epoch as payload. */
#define STAGE_CHANNEL "shardferry"

/* Creates the schema where it is missing, and notifies: proxies load the catalog and register. For the
 * runner, under its lock. */
MUST_USE bool stage_create_schema(PGconn *conn, Error *err);
/* Whether the schema is there. */
MUST_USE bool stage_schema_exists(PGconn *conn, bool *exists, Error *err);

/* The first key of the advisory locks by which proxies announce themselves ("sfpx" in ASCII); the second is
 * the first 32 bits of the proxy's id. */
#define STAGE_ANNOUNCE_KEY 1936093304

/* Makes this proxy known to a migration before there is a schema to register in: takes a shared advisory
 * lock, which the session keeps until it ends. For the control connection, before its first load of the
 * catalog; see migrate/proxies.c for what follows from that order. Twice is harmless. `id` is a UUID in text,
 * the one to register with. Does not wait: fails if somebody holds the lock exclusively. */
MUST_USE bool proxy_announce(PGconn *conn, const char *id, Error *err);

/* Registers a proxy, or registers it anew, with its lease, and without any acknowledgement: a heartbeat gives
 * that. *epoch is the one that counts from here on. Nobody may have waited for a proxy between its last
 * registration and this one: it must not use the lease before everything that it planned under an older epoch
 * is out of use. */
MUST_USE bool proxy_register(PGconn *conn, const char *id, const char *host, int pid, const char *version,
                             int lease_ms, int64_t *epoch, Error *err);

/* Extends the lease and acknowledges `acknowledged`: no statement planned under an older epoch is running or
 * will be. *epoch is the current one. *registered is false, and nothing has happened, if the registration is
 * gone or was revoked; if it is true, whoever changed the stage has waited for this proxy or is waiting
 * still, even where the lease was over in between. */
MUST_USE bool proxy_heartbeat(PGconn *conn, const char *id, int lease_ms, int64_t acknowledged,
                              bool *registered, int64_t *epoch, Error *err);
MUST_USE bool proxy_unregister(PGconn *conn, const char *id, Error *err);

typedef struct StageTable {
    const char *schema;
    const char *name;
    const char *tenant_column;
    TableKind kind; /* KIND_BACKFILL or KIND_DISTRIBUTED */
} StageTable;

/* Moves tables to `stage`, makes the epoch one larger and notifies, all in one transaction: its own, or, if
 * `conn` is in one, as a part of that (which the caller then ends either way). *epoch is the new one. */
MUST_USE bool stage_set(PGconn *conn, const StageTable *tables, int ntables, Stage stage, int64_t *epoch,
                        Error *err);

typedef struct ProxyInfo {
    const char *id;
    const char *host;
    int pid;
    const char *version;
    int64_t epoch;
    int64_t lease_left_ms; /* when this much time has passed without a heartbeat, it has fenced itself */
} ProxyInfo;

/* Revokes the registration of proxies that have not acknowledged `epoch` and whose lease is over. */
MUST_USE bool stage_revoke(PGconn *conn, int64_t epoch, Error *err);

/* The registered proxies that have not acknowledged `epoch` yet. In `arena`. */
MUST_USE bool stage_unacknowledged(PGconn *conn, int64_t epoch, Arena *arena, ProxyInfo **proxies,
                                   int *nproxies, Error *err);

typedef struct StageHolder {
    int pid;
    const char *role;  /* as SQL */
    const char *who;   /* for people: pid, application, role, address */
    bool may_register; /* its role has the privileges on schema shardferry that a proxy needs */
} StageHolder;

/* The sessions that have announced a proxy that has never registered. In `arena`. The schema is there. */
MUST_USE bool stage_unregistered(PGconn *conn, Arena *arena, StageHolder **holders, int *nholders,
                                 Error *err);

/* Writes one line of the journal. `event` is one of started, done, found done, failed, undone; `object` and
 * `detail` may be NULL. */
MUST_USE bool journal_write(PGconn *conn, const char *step, const char *object, const char *event,
                            const char *detail, Error *err);

#endif
