/* From the first byte to the first ReadyForQuery: negotiation of encryption, startup, cancel requests, the
 * server's authentication of the client.
 *
 * The proxy holds no password: what server and client say to each other until AuthenticationOk is relayed as
 * it is, and only the types of the client's messages are checked. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "proxy/console.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "proxy/tls.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define TLS_HANDSHAKE_RECORD 0x16

/* What a client may send before it is authenticated and the server is ready to read it. */
#define EARLY_LIMIT (64 * 1024)

static void fatal(Session *s, const char *sqlstate, const char *message, const char *hint) {
    Error err;
    error_set(&err, sqlstate, "%s", message);
    if (hint)
        error_hint(&err, "%s", hint);
    session_fatal(s, &err);
}

/* ---- encryption ---- */

static void client_handshake_done(Stream *stream, const char *failure) {
    Session *s = stream->owner;
    if (failure) {
        log_debug("session %llu (%s): TLS handshake: %s", (unsigned long long)s->id, s->address, failure);
        session_close(s);
    }
}

static void answer_ssl_request(Session *s, bool more_bytes) {
    SSL_CTX *tls = s->is_unix ? NULL : s->worker->runtime->client_tls;
    s->ssl_answered = true;
    stream_write(&s->client, tls ? "S" : "N", 1);
    if (more_bytes)
        /* They came in clear, perhaps from someone between (CVE-2021-23214). */
        fatal(s, SQLSTATE_PROTOCOL_VIOLATION, "received unencrypted data after SSL request",
              "This could be either a client-software bug or evidence of an attempted man-in-the-middle "
              "attack.");
    else if (tls)
        tls_accept(&s->client, tls, NULL, 0, false, client_handshake_done);
}

static void answer_gss_request(Session *s, bool more_bytes) {
    s->gss_answered = true;
    stream_write(&s->client, "N", 1);
    if (more_bytes)
        fatal(s, SQLSTATE_PROTOCOL_VIOLATION, "received unencrypted data after GSSAPI encryption request",
              "This could be either a client-software bug or evidence of an attempted man-in-the-middle "
              "attack.");
}

/* ---- the server connection ---- */

static void send_startup(Session *s) {
    Buf *m = &s->worker->message;
    buf_clear(m);
    if (s->wants_console) {
        Startup startup;
        Error err;
        const char *overrides[] = {"database", s->worker->runtime->database, NULL};
        if (startup_decode(buf_ptr(&s->startup), buf_len(&s->startup), &startup, &err) == WIRE_OK)
            startup_encode(m, &startup, overrides);
        stream_write(&s->server, buf_ptr(m), buf_len(m));
    } else {
        stream_write(&s->server, buf_ptr(&s->startup), buf_len(&s->startup));
    }
    buf_clear(m);
}

static void connection_failed(Session *s, const char *failure) {
    Coordinator *c = s->worker->runtime->coordinator;
    Error err;
    s->server_closed = true;
    error_set(&err, SQLSTATE_CANNOT_CONNECT, "could not connect to the database server at %s, port %s: %s",
              c->host, c->port, failure);
    error_hint(&err, "The proxy runs; its setting \"coordinator\" names a server that does not answer.");
    if (s->state == SESSION_CLOSING || s->state == SESSION_CANCEL)
        session_close(s);
    else
        session_fatal(s, &err);
}

static void connection_made(Session *s) {
    if (s->state == SESSION_CANCEL) {
        stream_write(&s->server, buf_ptr(&s->startup), buf_len(&s->startup));
        stream_start_reading(&s->server); /* the server closes when it has passed the request on */
        return;
    }
    session_set_state(s, SESSION_LOGIN);
    send_startup(s);
    stream_start_reading(&s->server);
    session_login_client_data(s, NULL, 0);
}

static void connected(Connector *connector, const char *failure) {
    Session *s = connector->owner;
    s->connector = NULL;
    if (failure)
        connection_failed(s, failure);
    else
        connection_made(s);
    free(connector); /* `failure` may lie in it */
}

void session_connect(Session *s) {
    Coordinator *c = s->worker->runtime->coordinator;
    bool want_tls = c->sslmode >= SSLMODE_PREFER;
    if (s->server_alternated)
        want_tls = !want_tls;
    s->active_ms = s->worker->now / 1000000; /* connect_timeout counts from here */
    s->server_closed = false;
    s->connector = MEM_NEW(Connector);
    s->connector->owner = s;
    bool optional = c->sslmode == SSLMODE_PREFER;
    connector_start(s->connector, &s->worker->loop, c, &s->server, want_tls, optional, connected);
}

/* sslmode allow and prefer: a server that turned one kind of connection down is asked once with the other. */
static bool may_alternate(const Session *s) {
    SslMode mode = s->worker->runtime->coordinator->sslmode;
    bool other_possible = mode == SSLMODE_ALLOW || (mode == SSLMODE_PREFER && s->server.tls);
    return other_possible && !s->server_alternated;
}

/* ---- startup ---- */

static char *take_param(const Startup *startup, const char *name) {
    Str v = startup_param(startup, name);
    if (!v.ptr)
        return NULL;
    char *copy = mem_alloc(v.len + 1);
    memcpy(copy, v.ptr, v.len);
    copy[v.len] = '\0';
    return copy;
}

static bool is_replication(const Startup *startup) {
    static const char *const OFF[] = {"false", "off", "no", "0", "f", "n", "of"};
    Str v = startup_param(startup, "replication");
    for (size_t i = 0; v.ptr && i < ARRAY_LEN(OFF); i++)
        if (str_ieq(v, OFF[i]))
            return false;
    return v.ptr && v.len > 0;
}

static void note_setting(Session *s, Str name, Str value) {
    char **slot = str_ieq(name, "search_path")  ? &s->default_path
                  : str_ieq(name, TRACK_TENANT) ? &s->default_tenant
                                                : NULL;
    if (!slot)
        return;
    free(*slot);
    *slot = mem_strdup(value.ptr);
}

/* search_path and tenant given at startup, as parameters of their own or in `options`; the former win as they
 * do in the server. */
static void note_startup_settings(Session *s, const Startup *startup) {
    size_t cursor = 0;
    Str name, value;
    Buf scratch = {0};
    while (startup_next_option(startup_param(startup, "options"), &cursor, &scratch, &name, &value))
        note_setting(s, name, value);
    cursor = 0;
    while (startup_next_param(startup, &cursor, &name, &value))
        note_setting(s, name, value);
    buf_free(&scratch);
}

static bool peer_is_owner(const Session *s) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return s->is_unix && getsockopt(s->client.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void begin_console(Session *s) {
    if (peer_is_owner(s)) {
        session_set_state(s, SESSION_CONSOLE);
        s->console = console_start(s);
    } else if (!runtime_is_admin(s->worker->runtime, s->user)) {
        Error err;
        error_set(&err, SQLSTATE_INSUFFICIENT_PRIVILEGE, "role \"%s\" may not use the console of the proxy",
                  s->user);
        error_hint(&err, "Roles that may are listed in the setting admin_users.");
        session_fatal(s, &err);
    } else if (!s->worker->runtime->database) {
        fatal(s, SQLSTATE_INVALID_AUTHORIZATION,
              "the console cannot authenticate anyone without a [control] section",
              "Connect to the Unix socket as the user that the proxy runs as.");
    } else {
        session_set_state(s, SESSION_CONNECTING);
        session_connect(s);
    }
}

static void begin_session(Session *s, const Startup *startup) {
    Worker *w = s->worker;
    const Config *config = w->runtime->config;
    s->user = take_param(startup, "user");
    s->application = take_param(startup, "application_name");
    s->database = take_param(startup, "database");
    if (!s->user || !s->user[0]) {
        fatal(s, SQLSTATE_INVALID_AUTHORIZATION, "no PostgreSQL user name specified in startup packet", NULL);
        return;
    }
    if (!s->database || !s->database[0]) {
        free(s->database);
        s->database = mem_strdup(s->user);
    }
    if (config->client_tls == CLIENT_TLS_REQUIRE && !s->is_unix && !s->client.tls) {
        fatal(s, SQLSTATE_INVALID_AUTHORIZATION, "this proxy accepts only connections with TLS",
              "Connect with sslmode=require or stronger.");
        return;
    }
    s->wants_console = strcmp(s->database, CONSOLE_DATABASE) == 0;
    s->counted = true;
    if (atomic_fetch_add(&w->proxy->clients, 1) >= config->max_clients && !s->wants_console) {
        fatal(s, SQLSTATE_TOO_MANY_CONNECTIONS, "sorry, too many clients already",
              "The limit is the proxy's setting max_clients.");
        return;
    }
    note_startup_settings(s, startup);
    s->relay_only =
        is_replication(startup) || !w->runtime->database || strcmp(w->runtime->database, s->database) != 0;
    if (s->wants_console) {
        begin_console(s);
        return;
    }
    if (!s->relay_only && !w->snapshot) {
        /* It is read before the first client is accepted; what could not be read then is tried again and
         * again. */
        fatal(s, SQLSTATE_CANNOT_CONNECT_NOW, "the proxy has not been able to read the catalog yet",
              "The proxy's log says why its control connection fails. Try again when it is back.");
        return;
    }
    session_set_state(s, SESSION_CONNECTING);
    session_connect(s);
}

/* For a statement that the proxy itself holds it ends here; else it is passed on to the server. */
static void begin_cancel(Session *s, const Startup *request) {
    session_set_state(s, SESSION_CANCEL);
    stream_stop_reading(&s->client);
    if (hold_cancel(&s->worker->proxy->held, request->cancel_pid, request->cancel_key))
        session_close(s);
    else
        session_connect(s);
}

/* One packet; returns whether another may follow at once. */
static bool startup_packet(Session *s) {
    Startup startup;
    Error err;
    Buf *held = &s->client_held;
    if (buf_len(held) == 0)
        return false;
    switch (startup_decode(buf_ptr(held), buf_len(held), &startup, &err)) {
    case WIRE_INCOMPLETE:
        return false;
    case WIRE_ERROR:
        session_fatal(s, &err);
        return false;
    case WIRE_OK:
        break;
    }
    bool more = buf_len(held) > startup.size;
    if (startup.kind == STARTUP_SSL && !s->ssl_answered && !s->client.tls) {
        buf_consume(held, startup.size);
        answer_ssl_request(s, more);
    } else if (startup.kind == STARTUP_GSSENC && !s->gss_answered) {
        buf_consume(held, startup.size);
        answer_gss_request(s, more);
    } else if (startup.kind == STARTUP_SSL || startup.kind == STARTUP_GSSENC) {
        fatal(s, SQLSTATE_PROTOCOL_VIOLATION, "encryption was negotiated already", NULL);
    } else {
        buf_append(&s->startup, buf_ptr(held), startup.size);
        buf_consume(held, startup.size);
        if (startup_decode(buf_ptr(&s->startup), buf_len(&s->startup), &startup, &err) != WIRE_OK)
            session_fatal(s, &err);
        else if (startup.kind == STARTUP_CANCEL)
            begin_cancel(s, &startup);
        else
            begin_session(s, &startup);
    }
    return s->state == SESSION_STARTUP;
}

void session_startup_data(Session *s, const uint8_t *data, size_t size) {
    SSL_CTX *tls = s->worker->runtime->client_tls;
    if (data[0] == TLS_HANDSHAKE_RECORD && buf_len(&s->client_held) == 0 && !s->ssl_answered &&
        !s->client.tls && tls && !s->is_unix) {
        tls_accept(&s->client, tls, data, size, true, client_handshake_done);
        return;
    }
    buf_append(&s->client_held, data, size);
    while (startup_packet(s))
        ;
    if (buf_len(&s->client_held) == 0)
        buf_free(&s->client_held);
}

/* ---- login: the server speaks ---- */

void session_parameter(Session *s, Str name, Str value) {
    /* Encodings in which 0x5C can be part of a character (PostgreSQL documentation, character set support:
     * those for clients only). */
    static const char *const UNSAFE[] = {"SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"};
    if (str_is(name, "client_encoding")) {
        s->utf8 = str_ieq(value, "UTF8");
        s->ascii_safe = true;
        for (size_t i = 0; i < ARRAY_LEN(UNSAFE); i++)
            if (str_ieq(value, UNSAFE[i]))
                s->ascii_safe = false;
    } else if (str_is(name, "standard_conforming_strings")) {
        s->strings_standard = str_ieq(value, "on");
    } else if (str_is(name, "application_name")) {
        free(s->application);
        s->application = mem_alloc(value.len + 1);
        memcpy(s->application, value.ptr, value.len);
        s->application[value.len] = '\0';
        mode_follow(s);
        s->audit_client = NULL;
    }
}

static void become_ready(Session *s, char transaction) {
    buf_free(&s->startup);
    if (s->wants_console) {
        stream_close_flushed(&s->server);
        session_set_state(s, SESSION_CONSOLE);
        s->console = console_start(s);
        return;
    }
    session_set_state(s, s->relay_only ? SESSION_RELAY : SESSION_ACTIVE);
    mode_follow(s);
    s->transaction = transaction;
}

/* SCRAM binds its proof to the TLS connection that it runs over. With TLS on both legs these are two, which
 * relayable() looks out for. With TLS on the server's leg alone the server offers what a client in clear
 * cannot do, and libpq takes for an attack: it is not offered to it. */
static bool relay_sasl_request(Session *s, Str payload) {
    if (!s->server.tls || !backend_sasl_offers(payload, "SCRAM-SHA-256-PLUS"))
        return true;
    if (s->client.tls) {
        s->sasl_requested = true;
        return true;
    }
    Buf *m = &s->worker->message;
    buf_clear(m);
    backend_put_sasl_without(m, payload, "SCRAM-SHA-256-PLUS");
    stream_write(&s->client, buf_ptr(m), buf_len(m));
    buf_clear(m);
    return false;
}

/* One message of the server during login. Returns false when it is not to be handed on. */
static bool login_message(Session *s, char type, Str payload) {
    Str name, value;
    Error err;
    uint32_t code;
    char transaction;
    switch (type) {
    case BE_AUTHENTICATION:
        if (!backend_authentication(payload, &code, &err))
            return true;
        if (code == AUTH_SASL)
            return relay_sasl_request(s, payload);
        return !(s->wants_console && code == AUTH_OK);
    case BE_PARAMETER_STATUS:
        if (backend_parameter_status(payload, &name, &value, &err))
            session_parameter(s, name, value);
        return !s->wants_console;
    case BE_READY:
        if (backend_ready(payload, &transaction, &err))
            become_ready(s, transaction);
        return !s->wants_console;
    case BE_KEY_DATA:
        s->server_pid = backend_pid(payload);
        if (payload.len > sizeof s->server_pid) {
            buf_clear(&s->server_key);
            buf_append(&s->server_key, payload.ptr + sizeof s->server_pid,
                       payload.len - sizeof s->server_pid);
        }
        return !s->wants_console;
    case BE_ERROR:
        s->server_refused = true;
        return true;
    default:
        return true;
    }
}

/* Starts over with the other kind of connection. */
static void alternate(Session *s) {
    s->server_alternated = true;
    s->restarting = true;
    buf_clear(&s->server_held);
    stream_close(&s->server);
}

void session_login_server_data(Session *s, const uint8_t *data, size_t size) {
    buf_append(&s->server_held, data, size);
    while (s->state == SESSION_LOGIN) {
        Frame frame = {0};
        Error err;
        const uint8_t *p = buf_ptr(&s->server_held);
        size_t have = buf_len(&s->server_held);
        WireStatus status = frame_decode_backend(p, have, &frame, &err);
        if (status == WIRE_ERROR || (status == WIRE_OK && frame.length > EARLY_LIMIT)) {
            fatal(s, SQLSTATE_PROTOCOL_VIOLATION, "the server sent what is no message of a login", NULL);
            return;
        }
        size_t total = FRAME_HEADER_BYTES + (size_t)frame.length;
        if (status == WIRE_INCOMPLETE || have < total)
            return;
        if (frame.type == BE_ERROR && may_alternate(s)) {
            alternate(s);
            return;
        }
        s->server_alternated |= frame.type == BE_AUTHENTICATION; /* it listens: no second try */
        if (login_message(s, frame.type, (Str){(const char *)p + FRAME_HEADER_BYTES, frame.length}))
            stream_write(&s->client, p, total);
        buf_consume(&s->server_held, total);
    }
    session_flush_held(s);
}

/* ---- login: the client speaks ---- */

/* SASLInitialResponse: mechanism, length, then the GS2 header: "n" the client does not bind, "y" it could,
 * "p=" it does (RFC 5802, section 7). */
static bool relayable(Session *s, Str payload) {
    if (!s->sasl_requested)
        return true;
    s->sasl_requested = false;
    size_t mechanism = strnlen(payload.ptr, payload.len);
    if (payload.len < mechanism + 6 || payload.ptr[mechanism + 5] == 'n')
        return true;
    fatal(s, SQLSTATE_FEATURE_NOT_SUPPORTED,
          "SCRAM authentication cannot be relayed when both the client and the server connection use TLS",
          "Connect with channel_binding=disable, or use TLS on one side of the proxy only.");
    return false;
}

void session_login_client_data(Session *s, const uint8_t *data, size_t size) {
    Buf *held = &s->client_held;
    if (size > 0)
        buf_append(held, data, size);
    while (s->state == SESSION_LOGIN && buf_len(held) > 0) {
        Frame frame = {0};
        Error err;
        WireStatus status = frame_decode_frontend(buf_ptr(held), buf_len(held), &frame, &err);
        if (status == WIRE_ERROR) {
            session_fatal(s, &err);
            return;
        }
        size_t total = FRAME_HEADER_BYTES + (size_t)frame.length;
        if (status == WIRE_INCOMPLETE || frame.type != FE_PASSWORD || buf_len(held) < total)
            break; /* a statement that comes early waits for the end of the login */
        if (!relayable(s, (Str){(const char *)buf_ptr(held) + FRAME_HEADER_BYTES, frame.length}))
            return;
        stream_write(&s->server, buf_ptr(held), total);
        buf_consume(held, total);
    }
    if (buf_len(held) > EARLY_LIMIT)
        stream_stop_reading(&s->client);
}
