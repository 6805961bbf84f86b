/* A byte stream to one peer: TCP or Unix socket, in clear or under TLS.
 *
 * libuv tells when a socket is ready (uv_poll); recv and send are called here. That costs less than libuv's
 * own streams: two system calls made for sockets in place of read and write, and a third of the memory.
 *
 * Reading: bytes are handed to on_read in a buffer that belongs to the worker and is used again at once, so
 * that an idle connection holds no buffer. Writing: stream_write tries the socket first; what does not fit is
 * kept in `out`, and stream_backlog tells how much that is, so that the owner can stop reading from the other
 * side.
 *
 *   owner → stream_write → [tls: encrypt] → socket, or → out → (writable) → socket, on_drain
 *   socket → worker's buffer → [tls: decrypt into the worker's second buffer] → on_read → owner
 *
 * Lifetime: the stream is embedded in its owner. stream_close may be called at any time, also from inside the
 * callbacks; no callback but on_closed comes after it, and only then may the owner free the memory. */
#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct Stream Stream;
typedef struct StreamTls StreamTls;

/* Size of each of a worker's two shared read buffers. */
#define STREAM_READ_BYTES (64 * 1024)

typedef struct StreamBuffers {
    uint8_t socket[STREAM_READ_BYTES];
    uint8_t plain[STREAM_READ_BYTES];
} StreamBuffers;

typedef struct StreamCallbacks {
    /* data is valid during the call only. */
    void (*on_read)(Stream *stream, const uint8_t *data, size_t size);
    /* The peer sends no more (failure NULL), or the connection broke. Each once at most, nothing behind the
     * latter. */
    void (*on_end)(Stream *stream, const char *failure);
    /* The backlog fell to nothing after a write had been put off. */
    void (*on_drain)(Stream *stream);
    void (*on_closed)(Stream *stream);
} StreamCallbacks;

/* error: an errno, 0 when the connection is there. */
typedef void StreamConnected(Stream *stream, int error);

struct Stream {
    uv_poll_t poll;
    int fd;     /* owned while open */
    int events; /* that `poll` is set to */
    const StreamCallbacks *callbacks;
    StreamConnected *connected; /* set while a connect() is under way */
    StreamBuffers *buffers;     /* the worker's */
    StreamTls *tls;             /* owned; NULL in clear */
    Buf out;                    /* accepted, not yet taken by the socket */
    bool open;
    bool reading;
    bool ended;  /* on_end was called for the end of what the peer sends */
    bool broken; /* on_end was called for a failure */
    bool end_when_flushed;
    bool close_when_flushed;
    void *owner;
};

void stream_init(Stream *stream, const StreamCallbacks *callbacks, StreamBuffers *buffers, void *owner);

/* Takes over a non-blocking socket: one that was accepted, or is about to be connected. */
void stream_open(Stream *stream, uv_loop_t *loop, int fd);
/* connect() has answered EINPROGRESS: tells, once, how it ends. */
void stream_await_connection(Stream *stream, StreamConnected *connected);

void stream_start_reading(Stream *stream);
void stream_stop_reading(Stream *stream);

/* Sends; never blocks, takes everything. */
void stream_write(Stream *stream, const void *data, size_t size);
/* Sends a list of pieces; fewer system calls than one stream_write each. */
void stream_write_pieces(Stream *stream, uv_buf_t *pieces, unsigned npieces);

/* Bytes that were accepted but not yet taken by the kernel. */
static inline size_t stream_backlog(const Stream *stream) { return buf_len(&stream->out); }

/* Tells the peer, behind everything accepted, that no more will come (TCP: FIN); reading goes on. */
void stream_end(Stream *stream);

/* Closes at once; unsent bytes are lost. Idempotent. */
void stream_close(Stream *stream);
/* Closes when everything accepted has been sent, or cannot be. */
void stream_close_flushed(Stream *stream);

/* TLS (proxy/tls.c) sits between these two and the socket. */
void stream_send_raw(Stream *stream, uv_buf_t *pieces, unsigned npieces);
void stream_fail(Stream *stream, const char *failure);

#endif
