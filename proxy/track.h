/* What a session's statements have done to the meaning of names (search_path, role, temporary tables) and to
 * its tenant (shardferry.tenant, a parameter that only the proxy reads).
 *
 * The server does not report these (PostgreSQL 18 reports search_path), so they are followed: a statement's
 * effect is applied when the server confirms it, and, in a second copy of the state, when it is sent, so that
 * the next statement of a pipeline is understood in the light of it.
 *
 *   current -- in force now
 *   durable -- in force when the transaction commits: SET LOCAL changes current alone
 *   base    -- in force when it began: what a rollback brings back
 *
 * The three are counted references to immutable values; unchanged ones are the same pointer. What a message
 * leaves outside of a transaction block, in_block, is committed with it. */
#ifndef PROXY_TRACK_H
#define PROXY_TRACK_H

#include <stdbool.h>

#include "base/str.h"
#include "parser/facts.h"

typedef struct TrackValues {
    int references;
    char *search_path; /* NULL: the session's default */
    bool path_unknown; /* set by something that could not be followed */
    bool role_unknown;
    char *role;          /* SET ROLE; NULL: none */
    char *authorization; /* SET SESSION AUTHORIZATION; NULL: the login role */
    char **temps;        /* temporary tables and views that the session made */
    int ntemps;
    char *tenant; /* as SHOW shardferry.tenant prints it; NULL: the session's default */
    bool tenant_unknown;
} TrackValues;

typedef struct TrackSavepoint TrackSavepoint;

typedef struct Track {
    TrackValues *current;
    TrackValues *durable;
    TrackValues *base;
    TrackSavepoint *savepoints; /* stack, innermost first; owned */
    int nsavepoints;
    bool in_block; /* behind BEGIN */
    uint32_t
        changes; /* grows whenever names come to mean something else; the tenant counts for nothing here */
} Track;

void track_init(Track *track);
void track_free(Track *track);
/* Makes `to` equal to `from`. */
void track_copy(Track *to, const Track *from);
bool track_equal(const Track *a, const Track *b) MUST_USE;

/* The parameter that a session says its tenant with. */
#define TRACK_TENANT "shardferry.tenant"

/* The role that "$user" stands for; NULL: the login role. */
static inline const char *track_role(const TrackValues *v) { return v->role ? v->role : v->authorization; }

/* Whether the statement has an effect that track_apply follows. */
bool track_concerns(const Statement *stmt) MUST_USE;
/* Whether it has one on how names are read. */
bool track_changes_names(const Statement *stmt) MUST_USE;
/* How its tenant depends on what was before it. */
typedef enum TrackTenant {
    TRACK_TENANT_KEPT,
    TRACK_TENANT_SET,     /* to what the statement says, or to the session's default */
    TRACK_TENANT_RESTORED /* possibly to what it was before: a transaction or a savepoint ends */
} TrackTenant;
TrackTenant track_changes_tenant(const Statement *stmt) MUST_USE;
/* Whether the tenant is the same however the transaction ends. */
bool track_tenant_is_steady(const Track *track) MUST_USE;

/* Applies a statement's effect. tag: the server's command tag, which tells a COMMIT that became a ROLLBACK;
 * empty when the statement is only being sent. */
void track_apply(Track *track, const Statement *stmt, Str tag);

/* The transaction is over (ReadyForQuery with status I). */
void track_transaction_end(Track *track, bool failed);
/* A message that ends a transaction unless it is a block (Sync, a simple query) has been applied. */
static inline void track_message_end(Track *track, bool failed) {
    if (!track->in_block)
        track_transaction_end(track, failed);
}

#endif
