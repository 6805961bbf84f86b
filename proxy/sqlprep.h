/* Statements prepared by SQL: PREPARE name AS … in a simple query.
 *
 * The server keeps the text that it was sent, so an EXECUTE in a newer epoch would run the old one. The proxy
 * keeps the client's text by name, and puts what brings the statement up to date in front of the EXECUTE, in
 * the same query string:
 *
 *   EXECUTE p (1)   →   DEALLOCATE p; PREPARE p AS <the text for this epoch>; EXECUTE p (1)
 *
 * The answers to the first two are swallowed. In the extended protocol they are messages of the proxy's own,
 * ahead of the Bind. Only an EXECUTE that is a text by itself is helped so. */
#ifndef PROXY_SQLPREP_H
#define PROXY_SQLPREP_H

#include <uthash.h>

#include "base/buf.h"
#include "proxy/gather.h"
#include "proxy/plan.h"

struct Session;

typedef struct SqlPrepared {
    char *name;
    Str text;           /* of the PREPARE, owned */
    Plan *plan;         /* under which it was last sent; counted */
    uint64_t sent_hash; /* of the text that was sent; 0: the original */
    bool missing;       /* the server has lost it: only the DEALLOCATE in front of an EXECUTE succeeded */
    UT_hash_handle hh;
} SqlPrepared;

/* A PREPARE has succeeded. text: its own, without semicolon. plan: of the query that it stood in. */
void sqlprep_add(struct Session *session, const char *name, Str text, const Plan *plan);
void sqlprep_remove(struct Session *session, const char *name);
void sqlprep_remove_all(struct Session *session);

/* For EXECUTE of a name: appends what must go in front of it to `prefix`, and returns how many statements
 * that is; 0 if the server has the right text, or the name is not known. */
int sqlprep_refresh(struct Session *session, const char *name, Buf *prefix) MUST_USE;
/* The same for an EXECUTE that is about to be bound: sends what must come first. */
void sqlprep_send(struct Session *session, Gather *out, const char *name);
/* What the statement of this name means today, counted for the caller; NULL if the name is not known. */
Plan *sqlprep_plan(struct Session *session, const char *name) MUST_USE;
/* What was put in front of an EXECUTE failed, or was skipped, before `left` of its statements were done. */
void sqlprep_failed(struct Session *session, const char *name, int left);

#endif
