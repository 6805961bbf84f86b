/* The life of a session: states, the two streams' callbacks, backpressure, closing. */
#include "proxy/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "proxy/console.h"
#include "proxy/copy_in.h"
#include "proxy/proxy.h"
#include "proxy/sqlprep.h"
#include "wire/backend.h"
#include "wire/frontend.h"

/* Reading from one side stops while more than this waits to be sent to the other, and goes on when it is
 * sent. */
#define BACKLOG_LIMIT (256 * 1024)

#define S(state) (1u << SESSION_##state)

static const struct {
    const char *name;
    unsigned from; /* states that it may follow */
} STATES[] = {
    [SESSION_STARTUP] = {"startup", 0},
    [SESSION_CONNECTING] = {"connecting", S(STARTUP) | S(LOGIN)},
    [SESSION_LOGIN] = {"login", S(CONNECTING)},
    [SESSION_ACTIVE] = {"active", S(LOGIN)},
    [SESSION_RELAY] = {"relay", S(LOGIN)},
    [SESSION_CANCEL] = {"cancel", S(STARTUP)},
    [SESSION_CONSOLE] = {"console", S(STARTUP) | S(LOGIN)},
    [SESSION_CLOSING] = {"closing", ~0u},
};

const char *session_state_name(SessionState state) { return STATES[state].name; }

void session_set_state(Session *s, SessionState state) {
    assert(STATES[state].from & (1u << s->state));
    s->state = state;
    if (state == SESSION_CLOSING) {
        s->closing_ms = s->worker->now / 1000000;
        hold_release(s);
    }
    bool logging_in = state == SESSION_STARTUP || state == SESSION_CONNECTING || state == SESSION_LOGIN;
    if (s->logging_in && !logging_in)
        atomic_fetch_sub(&s->worker->proxy->login_clients, 1);
    s->logging_in &= logging_in;
}

/* ---- closing ---- */

static void release_if_closed(Session *s) {
    if (!s->client_closed || !s->server_closed || s->connector)
        return;
    Worker *w = s->worker;
    if (s->counted)
        atomic_fetch_sub(&w->proxy->clients, 1);
    if (s->drain_mark)
        worker_drained_one(w);
    copy_in_free(s);
    mode_free(&s->modes);
    lookup_free(s->lookup);
    lookup_forget(s);
    console_free(s->console);
    reply_free(&s->replies);
    prepared_remove_all(&s->prepared);
    portal_close_all(&s->prepared);
    sqlprep_remove_all(s);
    track_free(&s->confirmed);
    track_free(&s->predicted);
    context_unref(&w->contexts, s->contexts[0]);
    context_unref(&w->contexts, s->contexts[1]);
    buf_free(&s->client_held);
    buf_free(&s->server_held);
    buf_free(&s->startup);
    buf_free(&s->server_key);
    free(s->user);
    free(s->database);
    free(s->application);
    free(s->default_path);
    free(s->default_tenant);
    worker_session_gone(w, s);
    free(s);
}

static void client_closed(Stream *stream) {
    Session *s = stream->owner;
    s->client_closed = true;
    release_if_closed(s);
}

static void server_closed(Stream *stream) {
    Session *s = stream->owner;
    s->server_closed = true;
    if (s->restarting && s->state == SESSION_LOGIN) {
        s->restarting = false;
        session_set_state(s, SESSION_CONNECTING);
        session_connect(s);
    } else if (s->state == SESSION_CANCEL) {
        session_close(s);
    } else {
        release_if_closed(s);
    }
}

void session_close(Session *s) {
    if (s->state != SESSION_CLOSING)
        session_set_state(s, SESSION_CLOSING);
    stream_close(&s->client);
    if (s->connector)
        connector_cancel(s->connector);
    else
        stream_close(&s->server);
    release_if_closed(s);
}

/* Lets what was accepted for the one that still listens go out first. */
static void close_after_flush(Session *s) {
    if (s->state != SESSION_CLOSING)
        session_set_state(s, SESSION_CLOSING);
    stream_close_flushed(&s->client);
    if (s->connector)
        connector_cancel(s->connector);
    else
        stream_close_flushed(&s->server);
}

void session_fatal(Session *s, const Error *err) {
    if (s->state == SESSION_CLOSING)
        return;
    Buf *m = &s->worker->message;
    buf_clear(m);
    backend_put_error(m, "FATAL", err);
    if (s->server_skip == 0) /* not into the midst of a message of the server */
        stream_write(&s->client, buf_ptr(m), buf_len(m));
    buf_clear(m);
    if (s->server.open && !s->connector) {
        frontend_put_terminate(m);
        stream_write(&s->server, buf_ptr(m), buf_len(m));
        buf_clear(m);
    }
    log_debug("session %llu (%s): closed: %s", (unsigned long long)s->id, s->address, err->message);
    close_after_flush(s);
}

bool session_is_idle(const Session *s) {
    switch (s->state) {
    case SESSION_ACTIVE:
        return !s->copy && reply_none(&s->replies) && s->transaction == 'I' &&
               buf_len(&s->client_held) == 0 && s->client_skip == 0;
    case SESSION_CONSOLE:
        return console_is_idle(s->console);
    default:
        return false;
    }
}

bool session_close_if_idle(Session *s, const Error *err) {
    if (!session_is_idle(s))
        return false;
    session_fatal(s, err);
    return true;
}

/* ---- data ---- */

typedef size_t Messages(Session *s, const uint8_t *data, size_t size);

/* Gives new bytes, behind what was held back, to a function that uses whole messages; holds the rest. */
static void feed(Session *s, Buf *held, Messages *messages, const uint8_t *data, size_t size) {
    if (buf_len(held) == 0) {
        size_t used = messages(s, data, size);
        if (used < size && s->state != SESSION_CLOSING)
            buf_append(held, data + used, size - used);
        return;
    }
    if (size > 0)
        buf_append(held, data, size);
    size_t used = messages(s, buf_ptr(held), buf_len(held));
    buf_consume(held, used);
    if (buf_len(held) == 0)
        buf_free(held);
}

/* Behind a message that waits nothing is read, but for a while behind one that is held: it may take long, and
 * a client that goes away is to be noticed. */
static void read_on(Session *s) {
    bool room = s->hold.since && buf_len(&s->client_held) <= BACKLOG_LIMIT;
    if (s->later && !room)
        stream_stop_reading(&s->client);
    else if (!s->client_done)
        stream_start_reading(&s->client);
}

void session_wait(Session *s) { s->waiting = true; }

void session_release(Session *s) {
    s->waiting = false;
    s->released = true;
}

void session_flush_held(Session *s) {
    if (s->state == SESSION_ACTIVE) {
        if (buf_len(&s->server_held) > 0)
            feed(s, &s->server_held, session_server_messages, NULL, 0);
        if (s->state == SESSION_ACTIVE && (buf_len(&s->client_held) > 0 || s->copy))
            feed(s, &s->client_held, session_client_messages, NULL, 0);
    } else if (s->state == SESSION_RELAY) {
        stream_write(&s->client, buf_ptr(&s->server_held), buf_len(&s->server_held));
        stream_write(&s->server, buf_ptr(&s->client_held), buf_len(&s->client_held));
        buf_free(&s->server_held);
        buf_free(&s->client_held);
    } else if (s->state == SESSION_CONSOLE && buf_len(&s->client_held) > 0) {
        feed(s, &s->client_held, console_messages, NULL, 0);
    }
    if (s->state != SESSION_CLOSING)
        read_on(s);
}

static void balance(Stream *from, Stream *to) {
    if (stream_backlog(to) > BACKLOG_LIMIT)
        stream_stop_reading(from);
}

static void client_read(Stream *stream, const uint8_t *data, size_t size) {
    Session *s = stream->owner;
    worker_touch_clock(s->worker);
    s->active_ms = s->worker->now / 1000000;
    STAT_ADD(s->worker->stats.bytes_from_clients, size);
    switch (s->state) {
    case SESSION_STARTUP:
        session_startup_data(s, data, size);
        break;
    case SESSION_CONNECTING:
    case SESSION_LOGIN:
        session_login_client_data(s, data, size);
        break;
    case SESSION_ACTIVE:
        feed(s, &s->client_held, session_client_messages, data, size);
        break;
    case SESSION_RELAY:
        stream_write(&s->server, data, size);
        break;
    case SESSION_CONSOLE:
        feed(s, &s->client_held, console_messages, data, size);
        break;
    case SESSION_CANCEL:
    case SESSION_CLOSING:
        return;
    }
    balance(&s->client, &s->server);
    if (s->later)
        read_on(s);
}

static void server_read(Stream *stream, const uint8_t *data, size_t size) {
    Session *s = stream->owner;
    worker_touch_clock(s->worker);
    s->active_ms = s->worker->now / 1000000;
    STAT_ADD(s->worker->stats.bytes_from_servers, size);
    switch (s->state) {
    case SESSION_LOGIN:
        session_login_server_data(s, data, size);
        break;
    case SESSION_ACTIVE:
        feed(s, &s->server_held, session_server_messages, data, size);
        if (s->released) {
            s->released = false;
            session_flush_held(s);
        }
        break;
    case SESSION_RELAY:
        stream_write(&s->client, data, size);
        break;
    default:
        return;
    }
    balance(&s->server, &s->client);
}

static void client_drained(Stream *stream) {
    Session *s = stream->owner;
    if (s->state == SESSION_LOGIN || s->state == SESSION_ACTIVE || s->state == SESSION_RELAY)
        stream_start_reading(&s->server);
    else if (s->state == SESSION_CONSOLE)
        stream_start_reading(&s->client);
}

static void server_drained(Stream *stream) {
    Session *s = stream->owner;
    if (s->state == SESSION_ACTIVE || s->state == SESSION_RELAY)
        read_on(s);
}

/* The client sends no more, or is gone. What it sent is still executed, and as long as it may listen it gets
 * the answers: the server meets the end of the stream where it would meet it without a proxy. */
static void client_ended(Stream *stream, const char *failure) {
    Session *s = stream->owner;
    if (failure)
        log_debug("session %llu (%s): client: %s", (unsigned long long)s->id, s->address, failure);
    s->client_done = true;
    if (!failure && (s->state == SESSION_ACTIVE || s->state == SESSION_RELAY)) {
        stream_end(&s->server);
        return;
    }
    stream_close(&s->client);
    if (s->state != SESSION_CLOSING)
        close_after_flush(s);
}

static void server_ended(Stream *stream, const char *failure) {
    Session *s = stream->owner;
    if (failure)
        log_debug("session %llu (%s): server: %s", (unsigned long long)s->id, s->address, failure);
    bool in_login = s->state == SESSION_LOGIN && !s->restarting;
    stream_close(&s->server);
    if (in_login && !s->server_refused) {
        Error err;
        error_set(&err, SQLSTATE_CONNECTION_FAILURE,
                  "the database server closed the connection during the login%s%s", failure ? ": " : "",
                  failure ? failure : "");
        session_fatal(s, &err);
    } else if (s->state != SESSION_CLOSING && s->state != SESSION_CANCEL && !s->restarting) {
        close_after_flush(s);
    }
}

static const StreamCallbacks CLIENT = {
    .on_read = client_read, .on_end = client_ended, .on_drain = client_drained, .on_closed = client_closed};
static const StreamCallbacks SERVER = {
    .on_read = server_read, .on_end = server_ended, .on_drain = server_drained, .on_closed = server_closed};

/* ---- beginning ---- */

Session *session_new(Worker *w, bool is_unix) {
    Session *s = MEM_NEW(Session);
    s->worker = w;
    s->is_unix = is_unix;
    s->id = ((uint64_t)w->index << 48) | ++w->last_session;
    stream_init(&s->client, &CLIENT, w->buffers, s);
    stream_init(&s->server, &SERVER, w->buffers, s);
    s->server_closed = true;
    track_init(&s->confirmed);
    track_init(&s->predicted);
    track_copy(&s->predicted, &s->confirmed);
    s->utf8 = s->ascii_safe = s->strings_standard = true;
    list_init(&s->link);
    list_init(&s->hold.link);
    return s;
}

void session_accepted(Session *s) {
    s->connected_ms = s->active_ms = s->worker->now / 1000000;
    s->logging_in = true;
    stream_start_reading(&s->client);
}
