/* What a client sends before messages have types: startup, SSLRequest, GSSENCRequest, CancelRequest. */
#ifndef WIRE_STARTUP_H
#define WIRE_STARTUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "wire/frame.h"

#define STARTUP_MAX_BYTES 10000u /* behind the length word: MAX_STARTUP_PACKET_LENGTH */
#define STARTUP_CANCEL_KEY_MAX 256u

typedef enum StartupKind { STARTUP_SESSION, STARTUP_SSL, STARTUP_GSSENC, STARTUP_CANCEL } StartupKind;

typedef struct Startup {
    StartupKind kind;
    size_t size; /* of the whole packet */
    uint16_t major, minor;
    Str params;          /* SESSION: name NUL value NUL … , without the final NUL */
    uint32_t cancel_pid; /* CANCEL */
    Str cancel_key;      /* CANCEL: 4 to 256 bytes */
} Startup;

/* Decodes the packet at the front of `data`. WIRE_ERROR: length below 8 or above the cap, a major version
 * other than 3 (0A000; the others are 08P01), a parameter list that is not NUL-terminated pairs, a cancel key
 * of a wrong length, an encryption request with something behind it in the packet. Every minor version is
 * accepted: the server negotiates. Strings point into `data`. */
WireStatus startup_decode(const uint8_t *data, size_t size, Startup *startup, Error *err) MUST_USE;

/* Finds a parameter, the last one by this name as the server does; STR_NONE if it is not there. */
Str startup_param(const Startup *startup, const char *name) MUST_USE;
/* Walks the parameters: *cursor starts at 0; false at the end. */
bool startup_next_param(const Startup *startup, size_t *cursor, Str *name, Str *value);

/* Walks the settings in an `options` parameter as the server reads them ("-c a=b", "-ca=b", "--a-b=c";
 * backslash escapes blanks; its other switches are skipped): *cursor starts at 0. name has '-' turned into
 * '_'. Both strings are written into `scratch`, NUL-terminated there, and valid until the next call. False at
 * the end, and then *cursor is options.len; or before it at what the server would refuse. */
bool startup_next_option(Str options, size_t *cursor, Buf *scratch, Str *name, Str *value);

/* Appends a startup packet with the given parameters replaced or added (value NULL: left out). overrides is
 * an array of name, value pairs that ends with NULL, or NULL for none; no name twice. */
void startup_encode(Buf *out, const Startup *startup, const char *const *overrides);
void startup_encode_ssl_request(Buf *out);
void startup_encode_cancel(Buf *out, uint32_t pid, Str key);

#endif
