/* Refusing a statement.
 *
 * The server is sent a text that it rejects, in the place of the client's, and the client gets the proxy's
 * error in the place of the server's. So the transaction is aborted, the pipeline is skipped to its Sync and
 * ReadyForQuery comes exactly as after an error of the server's own. */
#ifndef PROXY_REFUSE_H
#define PROXY_REFUSE_H

#include "conf/config.h"
#include "proxy/session.h"

/* In the place of a simple query. Takes `refusal` over (heap). */
void refuse_query(Session *session, Gather *out, Error *refusal);
/* Ahead of, or in the place of, a message of the extended protocol: what follows is skipped by the server. */
void refuse_extended(Session *session, Gather *out, Error *refusal);

/* A statement over max_statement_bytes. */
Error *refusal_too_long(const Config *config, size_t size) MUST_USE;

/* Why this plan must not run now; NULL if it may. A proxy that has been cut off from the control connection
 * for longer than its lease cannot know the stage of a table under migration: the runner no longer waits for
 * it, so it must not write to one. */
Error *refusal_fenced(const Session *session, const Plan *plan) MUST_USE;

#endif
