/* Streams: writing with a backlog, reading into shared buffers, closing in order. */
#include "proxy/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/tls.h"

#define KEEPALIVE_SECONDS 60

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- life ---- */

void stream_init(Stream *stream, const StreamCallbacks *callbacks, StreamBuffers *buffers, void *owner) {
    memset(stream, 0, sizeof *stream);
    stream->fd = -1;
    stream->callbacks = callbacks;
    stream->buffers = buffers;
    stream->owner = owner;
}

void stream_open(Stream *stream, uv_loop_t *loop, int fd) {
    int on = 1, idle = KEEPALIVE_SECONDS;
    stream->fd = fd;
    stream->open = true;
    uv_poll_init(loop, &stream->poll, fd);
    stream->poll.data = stream;
    /* Both fail on a Unix socket, which needs neither. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
}

/* Sets `poll` to what is waited for now. */
static void update_poll(Stream *stream) {
    if (!stream->open)
        return;
    int events = (stream->reading ? UV_READABLE : 0) |
                 (stream->connected || buf_len(&stream->out) > 0 ? UV_WRITABLE : 0);
    if (events == stream->events)
        return;
    stream->events = events;
    if (events)
        uv_poll_start(&stream->poll, events, on_poll);
    else
        uv_poll_stop(&stream->poll);
}

void stream_await_connection(Stream *stream, StreamConnected *connected) {
    stream->connected = connected;
    update_poll(stream);
}

static void poll_closed(uv_handle_t *handle) {
    Stream *stream = handle->data;
    close(stream->fd);
    stream->fd = -1;
    buf_free(&stream->out);
    tls_free(stream->tls);
    stream->tls = NULL;
    stream->callbacks->on_closed(stream);
}

void stream_close(Stream *stream) {
    if (!stream->open)
        return;
    stream->open = false;
    stream->reading = false;
    stream->connected = NULL;
    uv_close((uv_handle_t *)&stream->poll, poll_closed);
}

void stream_close_flushed(Stream *stream) {
    if (!stream->open)
        return;
    if (stream->tls)
        tls_say_goodbye(stream);
    stream_stop_reading(stream);
    if (stream_backlog(stream) == 0)
        stream_close(stream);
    else
        stream->close_when_flushed = true;
}

void stream_end(Stream *stream) {
    if (!stream->open)
        return;
    if (stream->tls)
        tls_say_goodbye(stream);
    if (stream_backlog(stream) == 0)
        shutdown(stream->fd, SHUT_WR);
    else
        stream->end_when_flushed = true;
}

void stream_fail(Stream *stream, const char *failure) {
    if (!stream->open || stream->broken || (!failure && stream->ended))
        return;
    stream->ended = true;
    stream->broken = failure != NULL;
    stream_stop_reading(stream);
    if (failure) {
        buf_free(&stream->out); /* no one takes it any more */
        update_poll(stream);
    }
    if (stream->close_when_flushed)
        stream_close(stream);
    else
        stream->callbacks->on_end(stream, failure);
}

/* ---- reading ---- */

/* Returns false when there was nothing to read. */
static bool receive(Stream *stream) {
    ssize_t n = recv(stream->fd, stream->buffers->socket, STREAM_READ_BYTES, 0);
    if (n > 0) {
        if (stream->tls)
            tls_received(stream, stream->buffers->socket, (size_t)n);
        else
            stream->callbacks->on_read(stream, stream->buffers->socket, (size_t)n);
    } else if (n == 0) {
        stream_fail(stream, NULL);
    } else if (errno != EAGAIN && errno != EINTR) {
        stream_fail(stream, strerror(errno));
    }
    return n > 0;
}

void stream_start_reading(Stream *stream) {
    if (!stream->open || stream->reading || stream->ended)
        return;
    stream->reading = true;
    update_poll(stream);
    /* Decrypted bytes that were held back when reading stopped raise no event of their own. */
    if (stream->tls)
        tls_resume(stream);
}

void stream_stop_reading(Stream *stream) {
    if (!stream->reading)
        return;
    stream->reading = false;
    update_poll(stream);
}

/* ---- writing ---- */

/* Returns bytes sent, 0 if the socket takes none now, -1 with errno. */
static ssize_t try_send(const Stream *stream, uv_buf_t *pieces, unsigned npieces) {
    ssize_t n;
    do {
        if (npieces == 1) {
            n = send(stream->fd, pieces[0].base, pieces[0].len, MSG_NOSIGNAL);
        } else {
            /* uv_buf_t is laid out as struct iovec on Unix (libuv documentation, uv_buf_t). */
            struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = npieces};
            n = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

void stream_send_raw(Stream *stream, uv_buf_t *pieces, unsigned npieces) {
    if (!stream->open || stream->broken)
        return;
    size_t sent = 0;
    if (buf_len(&stream->out) == 0) {
        ssize_t n = try_send(stream, pieces, npieces);
        if (n < 0) {
            /* A peer that closed may have sent its last words first: while it is read from, the reading side
             * meets the end itself. */
            bool gone = errno == EPIPE || errno == ECONNRESET;
            if (!gone || !stream->reading)
                stream_fail(stream, strerror(errno));
            return;
        }
        sent = (size_t)n;
    }
    for (unsigned i = 0; i < npieces; i++) {
        if (sent >= pieces[i].len) {
            sent -= pieces[i].len;
            continue;
        }
        buf_append(&stream->out, pieces[i].base + sent, pieces[i].len - sent);
        sent = 0;
    }
    update_poll(stream);
}

void stream_write_pieces(Stream *stream, uv_buf_t *pieces, unsigned npieces) {
    if (stream->tls)
        tls_send(stream, pieces, npieces);
    else
        stream_send_raw(stream, pieces, npieces);
}

void stream_write(Stream *stream, const void *data, size_t size) {
    if (size == 0)
        return;
    uv_buf_t piece = uv_buf_init((char *)(uintptr_t)data, (unsigned)size);
    stream_write_pieces(stream, &piece, 1);
}

/* The connection is broken, but what the peer sent before that is still there to be read. An owner that
 * pauses meanwhile gets the rest, and the failure, when it reads on: `poll` reports the broken socket again.
 */
static void fail_after_reading(Stream *stream, const char *failure) {
    bool was_reading = stream->reading;
    while (stream->open && stream->reading && receive(stream))
        ;
    bool paused = was_reading && !stream->reading && !stream->ended && !stream->close_when_flushed;
    if (stream->open && !paused)
        stream_fail(stream, failure);
}

/* The socket takes bytes again. */
static void flush_out(Stream *stream) {
    uv_buf_t piece = uv_buf_init((char *)buf_ptr(&stream->out), (unsigned)buf_len(&stream->out));
    ssize_t n = try_send(stream, &piece, 1);
    if (n < 0) {
        fail_after_reading(stream, strerror(errno));
        return;
    }
    buf_consume(&stream->out, (size_t)n);
    if (buf_len(&stream->out) > 0)
        return;
    buf_free(&stream->out);
    update_poll(stream);
    if (stream->close_when_flushed) {
        stream_close(stream);
        return;
    }
    if (stream->end_when_flushed)
        shutdown(stream->fd, SHUT_WR);
    stream->end_when_flushed = false;
    if (stream->callbacks->on_drain)
        stream->callbacks->on_drain(stream);
}

/* ---- events ---- */

static void connection_settled(Stream *stream) {
    StreamConnected *connected = stream->connected;
    int error = 0;
    socklen_t size = sizeof error;
    stream->connected = NULL;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    update_poll(stream);
    connected(stream, error);
}

/* status < 0: the socket has an error pending, and libuv watches it no more. What came before the error is
 * still there to be read; the read behind it tells the reason. */
static void on_poll(uv_poll_t *poll, int status, int events) {
    Stream *stream = poll->data;
    if (status < 0)
        stream->events = 0;
    if (stream->connected) {
        connection_settled(stream);
        return;
    }
    if (status < 0) {
        fail_after_reading(stream, "connection reset");
        return;
    }
    if (events & UV_WRITABLE && buf_len(&stream->out) > 0)
        flush_out(stream);
    if (events & UV_READABLE && stream->open && stream->reading)
        receive(stream);
}
