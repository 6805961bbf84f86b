/* What the files that take the client's messages share. */
#ifndef PROXY_SESSION_MESSAGES_H
#define PROXY_SESSION_MESSAGES_H

#include "proxy/session.h"

/* A message as the handlers see it. */
typedef struct Message {
    const uint8_t *start; /* its type byte */
    size_t size;          /* of all of it, once complete */
    Str payload;          /* all of it, or as much as is there: see MESSAGES in session_client.c */
} Message;

/* What becomes of it. */
typedef enum Taken {
    TAKEN_FORWARD, /* it leaves as it came */
    TAKEN_DONE,    /* something was sent in its place, or nothing is to be sent */
    TAKEN_LATER,   /* it stays at the head; the handler is called again when the session goes on */
} Taken;

typedef Taken MessageHandler(Session *session, Gather *out, const Message *message);

/* session_query.c */
MessageHandler message_query;
/* session_extended.c */
MessageHandler message_parse, message_bind, message_describe, message_execute, message_close;
/* Whether all of a Bind of this statement must be there before it can be taken. */
bool message_bind_needs_all(Session *session, Str statement) MUST_USE;

/* session_client.c */
/* A text at the head cannot be read until the batch before it is answered: the session waits for that. */
bool message_waits_for_encoding(Session *session) MUST_USE;
void message_count_statements(Session *session, const Plan *plan);
/* Sends what was put into the worker's `message`. */
void message_send_own(Session *session, Gather *out);
/* Why a statement of this plan must not be sent now: the proxy's own reasons, then the plan's; NULL if it
 * may. On the heap. *later: it is not refused yet but held, NULL is returned. */
Error *message_refusal(Session *session, const Plan *plan, bool *later) MUST_USE;

#endif
