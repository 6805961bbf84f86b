/* The admin console: a client that connects to the database `shardferry` speaks to the proxy itself, in the
 * PostgreSQL protocol, simple or extended, with results in text.
 *
 *   text → command (const table) → rows ─ at once
 *                                       ├ from each worker in turn (what only its own thread may read)
 *                                       └ from a thread of libuv's pool (what takes time)
 *
 * While the answer is being collected the session reads no further message. */
#ifndef PROXY_CONSOLE_H
#define PROXY_CONSOLE_H

#include "proxy/session.h"

#define CONSOLE_DATABASE "shardferry"

typedef struct Console Console;

/* Greets the client as a server does after authentication. */
Console *console_start(Session *session) MUST_USE;
void console_free(Console *console); /* NULL is permitted */
/* Messages of the client; returns bytes used. */
size_t console_messages(Session *session, const uint8_t *data, size_t size);
bool console_is_idle(const Console *console) MUST_USE;

#endif
