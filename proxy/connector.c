/* Connecting to the coordinator without blocking. While a connector is at work the stream's callbacks and
 * owner are its own; a failed attempt closes the handle, and the next address is tried from attempt_closed.
 */
#include "proxy/connector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "proxy/tls.h"
#include "wire/startup.h"

static void try_next(Connector *c);

static void finish(Connector *c, const char *failure) {
    coordinator_unref(c->coordinator);
    c->coordinator = NULL;
    uv_freeaddrinfo(c->addresses);
    c->addresses = c->next = NULL;
    c->stream->callbacks = c->callbacks;
    c->stream->owner = c->stream_owner;
    c->done(c, failure);
}

static void fail_attempt(Connector *c, const char *what, const char *why) {
    snprintf(c->failure, sizeof c->failure, "%s: %s", what, why ? why : "the server closed the connection");
    if (c->stream->open)
        stream_close(c->stream);
    else
        try_next(c);
}

/* ---- callbacks of the stream while connecting ---- */

static void attempt_closed(Stream *stream) { try_next(stream->owner); }

static void attempt_ended(Stream *stream, const char *failure) {
    fail_attempt(stream->owner, "connection", failure);
}

static void handshake_done(Stream *stream, const char *failure) {
    Connector *c = stream->owner;
    if (failure) {
        fail_attempt(c, "TLS handshake", failure);
        return;
    }
    stream_stop_reading(stream);
    finish(c, NULL);
}

/* The server's one-byte answer to SSLRequest. A second byte would have been put in by someone between
 * (CVE-2021-23222). */
static void answer_read(Stream *stream, const uint8_t *data, size_t size) {
    Connector *c = stream->owner;
    if (size == 1 && data[0] == 'S') {
        bool verify_host = c->coordinator->sslmode == SSLMODE_VERIFY_FULL;
        tls_connect(stream, c->coordinator->tls, c->coordinator->host, verify_host, handshake_done);
    } else if (size == 1 && data[0] == 'N' && c->tls_optional) {
        stream_stop_reading(stream);
        finish(c, NULL);
    } else if (size == 1 && data[0] == 'N') {
        fail_attempt(c, "TLS", "the server does not support it, but sslmode demands it");
    } else {
        fail_attempt(c, "TLS", "unexpected answer to SSLRequest");
    }
}

static const StreamCallbacks CONNECTING = {
    .on_read = answer_read, .on_end = attempt_ended, .on_drain = NULL, .on_closed = attempt_closed};

/* ---- attempts ---- */

static void connected(Stream *stream, int error) {
    Connector *c = stream->owner;
    if (error != 0) {
        fail_attempt(c, "connect", strerror(error));
        return;
    }
    if (!c->want_tls) {
        finish(c, NULL);
        return;
    }
    Buf request = {0};
    startup_encode_ssl_request(&request);
    stream_write(stream, buf_ptr(&request), buf_len(&request));
    buf_free(&request);
    stream_start_reading(stream);
}

static void attempt(Connector *c, const struct sockaddr *address, socklen_t size) {
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        snprintf(c->failure, sizeof c->failure, "socket: %s", strerror(errno));
        try_next(c);
        return;
    }
    stream_init(c->stream, &CONNECTING, c->stream->buffers, c);
    stream_open(c->stream, c->loop, fd);
    if (connect(fd, address, size) == 0)
        connected(c->stream, 0);
    else if (errno == EINPROGRESS)
        stream_await_connection(c->stream, connected);
    else
        connected(c->stream, errno);
}

static void try_unix_socket(Connector *c) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%s", c->coordinator->host,
                     c->coordinator->port);
    if (n < 0 || (size_t)n >= sizeof address.sun_path)
        finish(c, "the path of the Unix socket is too long");
    else
        attempt(c, (const struct sockaddr *)&address, sizeof address);
}

static void try_next(Connector *c) {
    struct addrinfo *address = c->next;
    if (c->abandoned || !address) {
        finish(c, c->abandoned ? "given up" : c->failure);
        return;
    }
    c->next = address->ai_next;
    attempt(c, address->ai_addr, address->ai_addrlen);
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses) {
    Connector *c = request->data;
    c->addresses = c->next = addresses;
    if (status < 0)
        snprintf(c->failure, sizeof c->failure, "could not look up the host: %s", uv_strerror(status));
    try_next(c);
}

void connector_start(Connector *c, uv_loop_t *loop, Coordinator *coordinator, Stream *stream, bool want_tls,
                     bool tls_optional, ConnectorDone *done) {
    c->loop = loop;
    c->coordinator = coordinator_ref(coordinator);
    c->stream = stream;
    c->callbacks = stream->callbacks;
    c->stream_owner = stream->owner;
    c->done = done;
    c->want_tls = want_tls;
    c->tls_optional = tls_optional;
    c->abandoned = false;
    c->addresses = c->next = NULL;
    if (coordinator_is_unix(coordinator)) {
        try_unix_socket(c);
        return;
    }
    if (coordinator->numeric) {
        c->fixed = (struct addrinfo){.ai_addr = (struct sockaddr *)&coordinator->address,
                                     .ai_addrlen = coordinator->address.ss_family == AF_INET6
                                                       ? sizeof(struct sockaddr_in6)
                                                       : sizeof(struct sockaddr_in)};
        c->next = &c->fixed;
        try_next(c);
        return;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    c->resolve.data = c;
    int rc = uv_getaddrinfo(loop, &c->resolve, resolved, coordinator->host, coordinator->port, &hints);
    if (rc != 0)
        finish(c, uv_strerror(rc));
}

void connector_cancel(Connector *c) {
    if (c->abandoned)
        return;
    c->abandoned = true;
    if (c->stream->open)
        stream_close(c->stream);
    else
        uv_cancel((uv_req_t *)&c->resolve);
}
