/* Holding a statement back.
 *
 * A statement that must not be sent now, but may be in a moment, stays at the head of what its client sent,
 * and nothing behind it is looked at. It is taken up again whenever its worker may have news (a snapshot, a
 * lease), and refused when the setting hold_timeout is over.
 *
 * The server knows nothing of it, so a CancelRequest for it must be answered here and go no further: it would
 * hit whatever the session sends next. Sessions that hold stand in one list of the process, where the request
 * finds them from whichever worker it came to. */
#ifndef PROXY_HOLD_H
#define PROXY_HOLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/str.h"

struct Session;
struct Worker;

/* Of a session. */
typedef struct Hold {
    uint64_t since; /* ns, monotonic; 0: nothing is held */
    List link;      /* in HoldList; this and the next under its lock */
    bool cancelled;
    bool watched; /* nothing is held; the request goes on to the server, and is noted here, too */
} Hold;

/* Of the process. */
typedef struct HoldList {
    pthread_mutex_t lock;
    List holds;
} HoldList;

void hold_list_init(HoldList *list);
void hold_list_free(HoldList *list);

/* The statement at the head must not be sent, for the reason in *refusal (heap). Returns true if it is to be
 * held, or held on: *refusal is freed. Returns false if it must be refused, with what is in *refusal by then:
 * the time is over, or the client has cancelled it. */
bool hold_statement(struct Session *session, Error **refusal) MUST_USE;
/* The same without a reason that could be told, and without a time: the caller knows when it ends. False if
 * the client has cancelled it; nothing is held then. */
bool hold_for_now(struct Session *session) MUST_USE;
/* The statement has been sent, refused, or will never be. Does nothing if none is held. */
void hold_release(struct Session *session);
/* Looks at what the worker's sessions hold again. */
void hold_retry(struct Worker *worker);

/* Between the parts of a statement that the session makes several of, the server is at nothing and forgets a
 * request: so it is noted, until hold_unwatch, for hold_is_cancelled. Not while a statement is held. */
void hold_watch(struct Session *session);
void hold_unwatch(struct Session *session);
bool hold_is_cancelled(struct Session *session) MUST_USE;

/* A CancelRequest has come: whether it is for a held statement, which is then cancelled, and not for the
 * server. From any worker. */
bool hold_cancel(HoldList *list, uint32_t pid, Str key) MUST_USE;

#endif
