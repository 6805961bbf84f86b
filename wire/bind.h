/* Bind, looked into: its parameters are read, and others are added behind them.
 *
 *   portal \0 statement \0 | n formats | n parameters: length, bytes | n result formats
 *
 * (PostgreSQL documentation, "Message Formats".) Strings point into the payload. */
#ifndef WIRE_BIND_H
#define WIRE_BIND_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct BindParam {
    Str bytes; /* ptr NULL: SQL NULL */
    bool binary;
} BindParam;

typedef struct BindMessage {
    Str portal, statement;
    int nformats;
    Str formats; /* nformats codes of 16 bits */
    int nparams;
    Str params;  /* the parameters with their lengths, as they came */
    Str results; /* what follows them: the result formats, their number included */
} BindMessage;

/* Takes a whole payload. False with `err` (08P01) on what the server would reject. */
MUST_USE bool bind_decode(Str payload, BindMessage *msg, Error *err);

/* The parameters one by one, in `arena`. */
const BindParam *bind_params(const BindMessage *msg, Arena *arena) MUST_USE;

/* The message with further parameters behind its own, in text format; ptr NULL is NULL, and so are all if
 * values is NULL. The sum must not be over 65535. */
void bind_put_extended(Buf *out, const BindMessage *msg, const Str *values, int nvalues);

/* A Bind of the given parameters; results in text format. */
void bind_put(Buf *out, Str portal, Str statement, const BindParam *params, int nparams);

#endif
