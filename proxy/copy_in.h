/* COPY … FROM STDIN of rows that lack their tenant.
 *
 * A row's tenant must be known before the row is sent, and it is the same server connection that may have to
 * look for it, which it cannot while it reads a COPY. So the client's one COPY becomes as many as are needed:
 *
 *   client:  COPY      ← CopyInResponse   row row row … row … CopyDone                   ← COPY 5
 *   server:  COPY …    → CopyInResponse   row row | end, lookups, COPY … | row row row | end
 *
 * The first is opened at once, so that the server itself says whether it will have it; it is ended, and
 * another opened, only where a tenant has to be asked for. All go by the extended protocol without a Sync
 * between them: they are one transaction, as the client's COPY is, and what fails in one fails in it. Line
 * numbers in the CONTEXT of an error are the client's.
 *
 * Foreign keys and statement triggers are checked and fired at the end of each. */
#ifndef PROXY_COPY_IN_H
#define PROXY_COPY_IN_H

#include "proxy/session_messages.h"

typedef struct CopyIn CopyIn; /* of a session; owned by it */

static inline const CopyPlan *copy_in_plan(const Plan *plan) {
    return plan->decision->nstatements == 1 ? plan->decision->statements[0].copy : NULL;
}

/* ---- messages of the client ---- */

/* A simple query whose plan is a copy_in_plan. Takes the plan over, unless *refusal (on the heap) is set. */
Taken copy_in_query(Session *session, Gather *out, Plan *plan, Str text, Error **refusal) MUST_USE;

/* An Execute: begins the COPY and returns true if that is what the portal holds. */
bool copy_in_execute(Session *session, Gather *out, const Message *message) MUST_USE;

/* While session->copy is set and the session does not wait: takes from the front of what has come, *used
 * bytes of it, 0 if more are needed. False if it is no message of a COPY, and to be dealt with as ever. */
bool copy_in_take(Session *session, Gather *out, const uint8_t *data, size_t size, size_t *used) MUST_USE;
/* Goes on where it waited. */
void copy_in_go_on(Session *session, Gather *out);

/* ---- messages of the server, for replies that are marked `copy` ---- */

/* CopyInResponse. */
void copy_in_opened(Session *session, Gather *out, Str payload);
/* CommandComplete: whether it is the last one, and the client has been told. */
bool copy_in_done(Session *session, Gather *out, Str tag) MUST_USE;
/* ErrorResponse: whether the client has been sent another in its place. */
bool copy_in_error(Session *session, Gather *out, Str payload) MUST_USE;
/* Behind an error, when the queue is in order again: the COPY is over. */
void copy_in_failed(Session *session);

void copy_in_free(Session *session);

#endif
