/* Streams over libuv: writing with a backlog, reading into shared buffers, closing in order. */
#include "proxy/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/tls.h"

static void flush_out(Stream *stream);

void stream_init(Stream *stream, const StreamCallbacks *callbacks, StreamBuffers *buffers, void *owner) {
    memset(stream, 0, sizeof *stream);
    stream->callbacks = callbacks;
    stream->buffers = buffers;
    stream->owner = owner;
}

void stream_opened(Stream *stream) {
    stream->handle.any.data = stream;
    stream->open = true;
    if (uv_fileno(&stream->handle.any, &stream->fd) != 0)
        stream->fd = -1;
    if (stream->handle.any.type == UV_TCP) {
        uv_tcp_nodelay(&stream->handle.tcp, 1);
        uv_tcp_keepalive(&stream->handle.tcp, 1, 60);
    }
}

/* ---- reading ---- */

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    Stream *stream = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)stream->buffers->socket, STREAM_READ_BYTES);
}

static void read_done(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf) {
    Stream *stream = handle->data;
    if (n > 0) {
        if (stream->tls)
            tls_received(stream, (const uint8_t *)buf->base, (size_t)n);
        else
            stream->callbacks->on_read(stream, (const uint8_t *)buf->base, (size_t)n);
    } else if (n < 0) {
        stream_fail(stream, n == UV_EOF ? NULL : uv_strerror((int)n));
    }
}

void stream_start_reading(Stream *stream) {
    if (!stream->open || stream->reading || stream->ended)
        return;
    stream->reading = true;
    int rc = uv_read_start(&stream->handle.stream, give_buffer, read_done);
    if (rc != 0) {
        stream_fail(stream, uv_strerror(rc));
        return;
    }
    /* Decrypted bytes that were held back when reading stopped raise no event of their own. */
    if (stream->tls)
        tls_resume(stream);
}

void stream_stop_reading(Stream *stream) {
    if (!stream->reading)
        return;
    stream->reading = false;
    if (stream->open)
        uv_read_stop(&stream->handle.stream);
}

void stream_fail(Stream *stream, const char *failure) {
    if (!stream->open || stream->broken || (!failure && stream->ended))
        return;
    stream->ended = true;
    stream->broken = failure != NULL;
    stream_stop_reading(stream);
    stream->callbacks->on_end(stream, failure);
}

/* ---- writing ---- */

static void end_sent(uv_shutdown_t *request, int status) {
    (void)request;
    (void)status; /* a failure shows on the reading side */
}

static void send_end(Stream *stream) {
    stream->end_when_flushed = false;
    uv_shutdown(&stream->shutdown, &stream->handle.stream, end_sent);
}

void stream_end(Stream *stream) {
    if (!stream->open)
        return;
    if (stream->tls)
        tls_say_goodbye(stream);
    if (stream_backlog(stream) == 0)
        send_end(stream);
    else
        stream->end_when_flushed = true;
}

static void write_done(uv_write_t *req, int status) {
    Stream *stream = req->data;
    stream->writing = false;
    buf_free(&stream->in_flight);
    if (!stream->open)
        return;
    if (status < 0) {
        buf_free(&stream->out);
        if (stream->close_when_flushed)
            stream_close(stream);
        else
            stream_fail(stream, uv_strerror(status));
        return;
    }
    if (buf_len(&stream->out) > 0) {
        flush_out(stream);
        return;
    }
    if (stream->close_when_flushed) {
        stream_close(stream);
        return;
    }
    if (stream->end_when_flushed)
        send_end(stream);
    if (stream->callbacks->on_drain)
        stream->callbacks->on_drain(stream);
}

/* Gives `out` to libuv, which sends it when the socket takes it. */
static void flush_out(Stream *stream) {
    stream->in_flight = stream->out;
    stream->out = (Buf){0};
    stream->write.data = stream;
    stream->writing = true;
    uv_buf_t buf = uv_buf_init((char *)buf_ptr(&stream->in_flight), (unsigned)buf_len(&stream->in_flight));
    int rc = uv_write(&stream->write, &stream->handle.stream, &buf, 1, write_done);
    if (rc != 0) {
        stream->writing = false;
        buf_free(&stream->in_flight);
        stream_fail(stream, uv_strerror(rc));
    }
}

/* What uv_try_write does, with the system calls made for sockets: send(2) costs less than write(2), which goes
 * through the file layer. Returns bytes sent or a libuv error. */
static ssize_t try_send(Stream *stream, uv_buf_t *pieces, unsigned npieces) {
    ssize_t n;
    do {
        if (npieces == 1) {
            n = send(stream->fd, pieces[0].base, pieces[0].len, MSG_DONTWAIT | MSG_NOSIGNAL);
        } else {
            /* uv_buf_t is laid out as struct iovec on Unix (libuv documentation, uv_buf_t). */
            struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = npieces};
            n = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 ? (errno == EWOULDBLOCK ? UV_EAGAIN : -errno) : n;
}

void stream_send_raw(Stream *stream, uv_buf_t *pieces, unsigned npieces) {
    if (!stream->open)
        return;
    size_t sent = 0;
    if (!stream->writing) {
        ssize_t rc = try_send(stream, pieces, npieces);
        if (rc > 0)
            sent = (size_t)rc;
        else if (rc != UV_EAGAIN && rc != 0) {
            /* A peer that closed may have sent its last words first: while it is read from, the reading side meets the
             * end itself. */
            if (!stream->reading)
                stream_fail(stream, uv_strerror((int)rc));
            return;
        }
    }
    for (unsigned i = 0; i < npieces; i++) {
        if (sent >= pieces[i].len) {
            sent -= pieces[i].len;
            continue;
        }
        buf_append(&stream->out, pieces[i].base + sent, pieces[i].len - sent);
        sent = 0;
    }
    if (!stream->writing && buf_len(&stream->out) > 0)
        flush_out(stream);
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

/* ---- closing ---- */

static void handle_closed(uv_handle_t *handle) {
    Stream *stream = handle->data;
    buf_free(&stream->out);
    if (!stream->writing)
        buf_free(&stream->in_flight);
    tls_free(stream->tls);
    stream->tls = NULL;
    stream->callbacks->on_closed(stream);
}

void stream_close(Stream *stream) {
    if (!stream->open)
        return;
    stream->open = false;
    stream->reading = false;
    uv_close(&stream->handle.any, handle_closed);
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
