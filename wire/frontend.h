/* Messages that a client sends: decoding the payloads that the proxy looks into, encoding its own.
 *
 * Decoders get a whole payload (Frame.length bytes); strings point into it. They return false with `err`
 * (08P01, the server's wording) on what the server would reject. */
#ifndef WIRE_FRONTEND_H
#define WIRE_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "wire/frame.h"

enum {
    FE_BIND = 'B',
    FE_CLOSE = 'C',
    FE_COPY_DATA = 'd',
    FE_COPY_DONE = 'c',
    FE_COPY_FAIL = 'f',
    FE_DESCRIBE = 'D',
    FE_EXECUTE = 'E',
    FE_FLUSH = 'H',
    FE_FUNCTION_CALL = 'F',
    FE_PARSE = 'P',
    FE_PASSWORD = 'p',
    FE_QUERY = 'Q',
    FE_SYNC = 'S',
    FE_TERMINATE = 'X',
};

typedef struct ParseMessage {
    Str name;
    Str query; /* NUL-terminated behind its length */
    int nparams;
    const uint8_t *params; /* nparams big-endian OIDs, unaligned */
} ParseMessage;

/* Describe and Close. */
typedef struct NamedMessage {
    char kind; /* 'S' statement, 'P' portal */
    Str name;
} NamedMessage;

typedef struct ExecuteMessage {
    Str portal;
    uint32_t max_rows;
} ExecuteMessage;

MUST_USE bool frontend_query(Str payload, Str *query, Error *err); /* NUL-terminated behind its length */
MUST_USE bool frontend_parse(Str payload, ParseMessage *msg, Error *err);
/* Looks at the two names only; the rest stays unchecked for the server. `payload` may be the front part. */
WireStatus frontend_bind_names(Str payload, Str *portal, Str *statement) MUST_USE;
MUST_USE bool frontend_named(Str payload, NamedMessage *msg, Error *err);
MUST_USE bool frontend_execute(Str payload, ExecuteMessage *msg, Error *err);

void frontend_put_query(Buf *out, Str query);
void frontend_put_parse(Buf *out, Str name, Str query, const uint8_t *params, int nparams);
void frontend_put_describe(Buf *out, char kind, Str name);
/* All rows. */
void frontend_put_execute(Buf *out, Str portal);
void frontend_put_close(Buf *out, char kind, Str name);
void frontend_put_flush(Buf *out);
void frontend_put_sync(Buf *out);
void frontend_put_terminate(Buf *out);

#endif
