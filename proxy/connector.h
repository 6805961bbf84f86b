/* Opening a stream to the coordinator: look-up, connect to one address after the other, SSLRequest, TLS.
 *
 *   resolve → connect → [ask for TLS → one byte → handshake] → done
 *
 * Whatever happens, `done` is called exactly once, as the last thing: it may free the connector. */
#ifndef PROXY_CONNECTOR_H
#define PROXY_CONNECTOR_H

#include "proxy/coordinator.h"
#include "proxy/stream.h"

typedef struct Connector Connector;

/* failure: NULL when the stream is connected and (if so decided) under TLS. The stream's callbacks are then
 * the ones that were set at the start. On failure the stream is closed, or was never opened. */
typedef void ConnectorDone(Connector *connector, const char *failure);

struct Connector {
    uv_loop_t *loop;
    Coordinator *coordinator; /* a reference, from start to done */
    Stream *stream;
    const StreamCallbacks *callbacks; /* the owner's, put in force when done */
    ConnectorDone *done;
    bool want_tls;     /* ask the server for TLS */
    bool tls_optional; /* go on in clear if it says no */
    bool abandoned;
    uv_getaddrinfo_t resolve;
    struct addrinfo *addresses; /* owned (libuv) */
    struct addrinfo *next;
    struct addrinfo fixed; /* the one of a numeric host */
    char failure[256];
    void *stream_owner; /* stream->owner, while the connector stands in for it */
    void *owner;
};

/* Starts. `stream` must have been stream_init-ed with the owner's callbacks; the owner's on_closed is called
 * for it if it was opened and is closed later. */
void connector_start(Connector *connector, uv_loop_t *loop, Coordinator *coordinator, Stream *stream,
                     bool want_tls, bool tls_optional, ConnectorDone *done);

/* Gives up. The stream, if open, is closed. `done` is called once more, with a failure, when the memory may
 * be freed: at once, or when the look-up or the closing handle has come back. */
void connector_cancel(Connector *connector);

#endif
