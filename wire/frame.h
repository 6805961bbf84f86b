/* Framing: where one protocol message ends and the next begins.
 *
 * PostgreSQL documentation, "Frontend/Backend Protocol", message formats: a type byte, then an int32 length
 * that counts itself but not the type, then the payload. The decoder looks at the header alone, so that a
 * message of a gigabyte is forwarded as it arrives. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

#define FRAME_HEADER_BYTES 5
/* The server's caps on the length word of a client's message (src/include/libpq/libpq.h, auth.h): what it
 * would not accept is refused here already. */
#define FRAME_LARGE_LIMIT 0x3ffffffeu
#define FRAME_SMALL_LIMIT 10000u
#define FRAME_AUTH_LIMIT 65535u
/* What a server's message may hold that the proxy keeps whole: libpq believes no more of it either. */
#define FRAME_REPLY_LIMIT 30000u

typedef enum WireStatus { WIRE_OK, WIRE_INCOMPLETE, WIRE_ERROR } WireStatus;

typedef struct Frame {
    char type;
    uint32_t length; /* of the payload: without type and length */
} Frame;

/* By type byte: one more than the longest payload; 0 for a type that does not exist. */
extern const uint32_t frame_frontend_bounds[256];
extern const uint32_t frame_backend_bounds[256];

/* The rest of the decoders below: a header that is not whole, or not right. */
WireStatus frame_refuse_frontend(const uint8_t *data, size_t size, Error *err) MUST_USE;
WireStatus frame_refuse_backend(const uint8_t *data, size_t size, Error *err) MUST_USE;

/* Whether `data` begins with a whole and valid header. A length word below 4 wraps around to a payload above
 * any bound. */
static inline bool frame_read(const uint8_t *data, size_t size, const uint32_t *bounds, Frame *frame) {
    uint32_t word;

    if (size < FRAME_HEADER_BYTES)
        return false;
    memcpy(&word, data + 1, sizeof(word));
    frame->type = (char)data[0];
    frame->length = ntohl(word) - 4;
    return frame->length < bounds[data[0]];
}

/* Reads the header of a client's message. WIRE_ERROR fills `err` (08P01): unknown type, or a length below 4
 * or above the server's cap for this type. INCOMPLETE while fewer than five bytes are there; an unknown type
 * is reported as soon as its byte is. `frame` is valid after WIRE_OK only. */
MUST_USE static inline WireStatus frame_decode_frontend(const uint8_t *data, size_t size, Frame *frame,
                                                        Error *err) {
    return frame_read(data, size, frame_frontend_bounds, frame) ? WIRE_OK
                                                                : frame_refuse_frontend(data, size, err);
}

/* The same for a server's message: lengths up to what a server can send. Types with a fixed payload have
 * their length checked; Authentication, CommandComplete, BackendKeyData, Copy…Response and
 * NegotiateProtocolVersion are short (65,535 bytes at most). */
MUST_USE static inline WireStatus frame_decode_backend(const uint8_t *data, size_t size, Frame *frame,
                                                       Error *err) {
    return frame_read(data, size, frame_backend_bounds, frame) ? WIRE_OK
                                                               : frame_refuse_backend(data, size, err);
}

/* Encoding: frame_begin appends a header, the caller the payload, frame_end fills in the length. Between
 * them, `out` may grow but not be consumed. */
size_t frame_begin(Buf *out, char type) MUST_USE;
void frame_end(Buf *out, size_t begun);

#endif
