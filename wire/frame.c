/* Framing: which types exist, how long each may be, and what is said of one that is not so. */
#include "wire/frame.h"

/* From the cap on a length word to the bound on a payload: minus the word itself, plus one. */
#define BOUND(limit) ((limit)-4u + 1u)

#define LARGE BOUND(FRAME_LARGE_LIMIT)
#define SMALL BOUND(FRAME_SMALL_LIMIT)

const uint32_t frame_frontend_bounds[256] = {
    ['B'] = LARGE,                   /* Bind */
    ['C'] = SMALL,                   /* Close */
    ['d'] = LARGE,                   /* CopyData */
    ['c'] = SMALL,                   /* CopyDone */
    ['f'] = SMALL,                   /* CopyFail */
    ['D'] = SMALL,                   /* Describe */
    ['E'] = SMALL,                   /* Execute */
    ['H'] = SMALL,                   /* Flush */
    ['F'] = LARGE,                   /* FunctionCall */
    ['P'] = LARGE,                   /* Parse */
    ['p'] = BOUND(FRAME_AUTH_LIMIT), /* PasswordMessage and the SASL responses */
    ['Q'] = LARGE,                   /* Query */
    ['S'] = SMALL,                   /* Sync */
    ['X'] = SMALL,                   /* Terminate */
};

/* A server's string buffer takes FRAME_LARGE_LIMIT bytes of payload, the word not counted. */
#define ANY (FRAME_LARGE_LIMIT + 1u)
#define REPLY (FRAME_REPLY_LIMIT + 1u)
#define EXACTLY(n) ((n) + 1u)

const uint32_t frame_backend_bounds[256] = {
    ['R'] = BOUND(FRAME_AUTH_LIMIT), /* Authentication */
    ['K'] = EXACTLY(4 + 256),        /* BackendKeyData; protocol 3.2 has keys of up to 256 bytes */
    ['2'] = EXACTLY(0),              /* BindComplete */
    ['3'] = EXACTLY(0),              /* CloseComplete */
    ['C'] = REPLY,                   /* CommandComplete */
    ['d'] = ANY,                     /* CopyData */
    ['c'] = EXACTLY(0),              /* CopyDone */
    ['G'] = REPLY,                   /* CopyInResponse */
    ['H'] = REPLY,                   /* CopyOutResponse */
    ['W'] = REPLY,                   /* CopyBothResponse */
    ['D'] = ANY,                     /* DataRow */
    ['I'] = EXACTLY(0),              /* EmptyQueryResponse */
    ['E'] = ANY,                     /* ErrorResponse */
    ['V'] = ANY,                     /* FunctionCallResponse */
    ['v'] = REPLY,                   /* NegotiateProtocolVersion */
    ['n'] = EXACTLY(0),              /* NoData */
    ['N'] = ANY,                     /* NoticeResponse */
    ['A'] = ANY,                     /* NotificationResponse */
    ['t'] = ANY,                     /* ParameterDescription: 65,535 types are 262,142 bytes */
    ['S'] = ANY,                     /* ParameterStatus: reported settings have no maximum */
    ['1'] = EXACTLY(0),              /* ParseComplete */
    ['s'] = EXACTLY(0),              /* PortalSuspended */
    ['Z'] = EXACTLY(1),              /* ReadyForQuery */
    ['T'] = ANY,                     /* RowDescription */
};

WireStatus frame_refuse_frontend(const uint8_t *data, size_t size, Error *err) {
    if (size > 0 && frame_frontend_bounds[data[0]] == 0)
        error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid frontend message type %d", data[0]);
    else if (size >= FRAME_HEADER_BYTES)
        error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid message length");
    else
        return WIRE_INCOMPLETE;
    return WIRE_ERROR;
}

WireStatus frame_refuse_backend(const uint8_t *data, size_t size, Error *err) {
    if (size > 0 && frame_backend_bounds[data[0]] == 0)
        error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid backend message type %d", data[0]);
    else if (size >= FRAME_HEADER_BYTES)
        error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid length of backend message type %d", data[0]);
    else
        return WIRE_INCOMPLETE;
    return WIRE_ERROR;
}

size_t frame_begin(Buf *out, char type) {
    size_t begun = buf_len(out);

    buf_put_u8(out, (uint8_t)type);
    buf_put_u32(out, 0);
    return begun;
}

void frame_end(Buf *out, size_t begun) {
    uint32_t word = htonl((uint32_t)(buf_len(out) - begun - 1));

    memcpy(buf_ptr(out) + begun + 1, &word, sizeof(word));
}
