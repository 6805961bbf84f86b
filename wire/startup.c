/* Startup packets: the limits and the order of the checks are ProcessStartupPacket's
 * (src/backend/tcop/backend_startup.c), the reading of `options` is pg_split_opts's and
 * process_postgres_switches's (src/backend/utils/init/postinit.c, src/backend/tcop/postgres.c). */
#include "wire/startup.h"

#include "wire/reader.h"

/* In place of a protocol version: a major number of 1234 with a request for a minor one. */
#define REQUEST_MAJOR 1234u
#define REQUEST_CANCEL 5678u
#define REQUEST_SSL 5679u
#define REQUEST_GSSENC 5680u

#define PROTOCOL_MAJOR 3u
/* The newest minor version that any server speaks; for the text of a refusal only, since every 3.x is
 * relayed. */
#define PROTOCOL_MINOR 2u

#define LENGTH_BYTES 4u
#define CANCEL_KEY_MIN 4u

static WireStatus refuse(Error *err, const char *message) {
    error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "%s", message);
    return WIRE_ERROR;
}

static WireStatus decode_request(Str body, StartupKind kind, Startup *startup, Error *err) {
    startup->kind = kind;
    return body.len == 0 ? WIRE_OK : refuse(err, "invalid length of startup packet");
}

static WireStatus decode_cancel(Str body, Startup *startup, Error *err) {
    startup->kind = STARTUP_CANCEL;
    if (!reader_take_u32(&body, &startup->cancel_pid))
        return refuse(err, "invalid length of cancel request packet");
    if (body.len < CANCEL_KEY_MIN || body.len > STARTUP_CANCEL_KEY_MAX)
        return refuse(err, "invalid length of cancel key in cancel request packet");
    startup->cancel_key = body;
    return WIRE_OK;
}

static WireStatus decode_session(Str body, Startup *startup, Error *err) {
    Str rest = body;
    Str name, value;

    startup->kind = STARTUP_SESSION;
    while (reader_take_cstr(&rest, &name)) {
        if (name.len == 0) {
            if (rest.len > 0)
                break;
            startup->params = (Str){body.ptr, body.len - 1};
            return WIRE_OK;
        }
        if (!reader_take_cstr(&rest, &value))
            break;
    }
    return refuse(err, "invalid startup packet layout: expected terminator as last byte");
}

WireStatus startup_decode(const uint8_t *data, size_t size, Startup *startup, Error *err) {
    Str packet = {(const char *)data, size};
    uint32_t length, version;
    Str body;

    *startup = (Startup){0};
    if (!reader_take_u32(&packet, &length))
        return WIRE_INCOMPLETE;
    if (length < LENGTH_BYTES + sizeof(version) || length - LENGTH_BYTES > STARTUP_MAX_BYTES)
        return refuse(err, "invalid length of startup packet");
    if (!reader_take_bytes(&packet, length - LENGTH_BYTES, &body) || !reader_take_u32(&body, &version))
        return WIRE_INCOMPLETE;
    startup->size = length;
    startup->major = (uint16_t)(version >> 16);
    startup->minor = (uint16_t)version;
    if (startup->major == PROTOCOL_MAJOR)
        return decode_session(body, startup, err);
    if (startup->major == REQUEST_MAJOR && startup->minor == REQUEST_CANCEL)
        return decode_cancel(body, startup, err);
    if (startup->major == REQUEST_MAJOR && startup->minor == REQUEST_SSL)
        return decode_request(body, STARTUP_SSL, startup, err);
    if (startup->major == REQUEST_MAJOR && startup->minor == REQUEST_GSSENC)
        return decode_request(body, STARTUP_GSSENC, startup, err);
    error_set(err, SQLSTATE_FEATURE_NOT_SUPPORTED,
              "unsupported frontend protocol %u.%u: server supports %u.0 to %u.%u", startup->major,
              startup->minor, PROTOCOL_MAJOR, PROTOCOL_MAJOR, PROTOCOL_MINOR);
    return WIRE_ERROR;
}

bool startup_next_param(const Startup *startup, size_t *cursor, Str *name, Str *value) {
    Str rest;

    if (*cursor >= startup->params.len)
        return false;
    rest = (Str){startup->params.ptr + *cursor, startup->params.len - *cursor};
    if (!reader_take_cstr(&rest, name) || !reader_take_cstr(&rest, value))
        return false;
    *cursor = startup->params.len - rest.len;
    return true;
}

Str startup_param(const Startup *startup, const char *name) {
    Str found = STR_NONE;
    size_t cursor = 0;
    Str n, value;

    while (startup_next_param(startup, &cursor, &n, &value))
        if (str_is(n, name))
            found = value;
    return found;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Writes the next word of `options` to `scratch`, NUL-terminated. False at the end. */
static bool next_word(Str options, size_t *cursor, Buf *scratch) {
    bool escaped = false;
    size_t i = *cursor;

    buf_clear(scratch);
    while (i < options.len && is_space(options.ptr[i]))
        i++;
    if (i >= options.len) {
        *cursor = options.len;
        return false;
    }
    for (; i < options.len && (escaped || !is_space(options.ptr[i])); i++) {
        if (!escaped && options.ptr[i] == '\\') {
            escaped = true;
            continue;
        }
        escaped = false;
        buf_put_u8(scratch, (uint8_t)options.ptr[i]);
    }
    buf_put_u8(scratch, 0);
    *cursor = i;
    return true;
}

/* Splits "a-b=c" in place. A name without a value is not a setting. */
static bool split_setting(char *text, Str *name, Str *value) {
    char *equals = strchr(text, '=');

    if (!equals)
        return false;
    *equals = '\0';
    for (char *p = text; p < equals; p++)
        if (*p == '-')
            *p = '_';
    *name = (Str){text, (size_t)(equals - text)};
    *value = str_of(equals + 1);
    return true;
}

/* The server's other switches. None of them is a setting by name. */
static const char flags[] = "bEeFijlnOPsT";
static const char flags_with_argument[] = "c-BCdDfhkNprStvW";

/* Reads the switches of the word in `scratch`, as getopt does: flags may share a word; the first switch that
 * takes an argument takes the rest of the word or else the next word. Returns that switch with its argument
 * (NULL: there is none), a flag, or NUL for what is no switch. */
static char read_switches(Str options, size_t *cursor, Buf *scratch, char **argument) {
    char *p = (char *)buf_ptr(scratch);
    char found;

    *argument = NULL;
    if (p[0] != '-' || p[1] == '\0')
        return '\0';
    for (p++; p[1] != '\0' && strchr(flags, *p); p++)
        ;
    found = *p;
    if (strchr(flags, found))
        return found;
    if (!strchr(flags_with_argument, found))
        return '\0';
    if (p[1] != '\0')
        *argument = p + 1;
    else if (next_word(options, cursor, scratch))
        *argument = (char *)buf_ptr(scratch);
    return found;
}

bool startup_next_option(Str options, size_t *cursor, Buf *scratch, Str *name, Str *value) {
    size_t at = *cursor;

    while (next_word(options, &at, scratch)) {
        char *argument;
        char found;
        bool is_setting;

        if (strcmp((const char *)buf_ptr(scratch), "--") == 0) {
            /* The end of the switches; nothing may follow. */
            if (next_word(options, &at, scratch))
                return false;
            break;
        }
        found = read_switches(options, &at, scratch, &argument);
        is_setting = found == 'c' || found == '-';
        if (found == '\0' || (is_setting && !(argument && split_setting(argument, name, value))))
            return false;
        *cursor = at;
        if (is_setting)
            return true;
    }
    *cursor = options.len;
    return false;
}

/* The index in `overrides` of a name, or of the NULL at its end. */
static size_t find_override(const char *const *overrides, Str name) {
    size_t i = 0;

    while (overrides[i] && !str_is(name, overrides[i]))
        i += 2;
    return i;
}

static void put_param(Buf *out, Str name, Str value) {
    buf_append_str(out, name);
    buf_put_u8(out, 0);
    buf_append_str(out, value);
    buf_put_u8(out, 0);
}

/* A packet begins with its length, where a message has its type. */
static size_t packet_begin(Buf *out, uint32_t major, uint32_t minor) {
    size_t begun = buf_len(out);

    buf_put_u32(out, 0);
    buf_put_u32(out, major << 16 | minor);
    return begun;
}

static void packet_end(Buf *out, size_t begun) {
    uint32_t length = htonl((uint32_t)(buf_len(out) - begun));

    memcpy(buf_ptr(out) + begun, &length, sizeof(length));
}

void startup_encode(Buf *out, const Startup *startup, const char *const *overrides) {
    static const char *const none[] = {NULL};
    size_t begun = packet_begin(out, startup->major, startup->minor);
    size_t cursor = 0;
    Str name, value;

    if (!overrides)
        overrides = none;
    while (startup_next_param(startup, &cursor, &name, &value))
        if (!overrides[find_override(overrides, name)])
            put_param(out, name, value);
    for (size_t i = 0; overrides[i]; i += 2)
        if (overrides[i + 1])
            put_param(out, str_of(overrides[i]), str_of(overrides[i + 1]));
    buf_put_u8(out, 0);
    packet_end(out, begun);
}

void startup_encode_ssl_request(Buf *out) { packet_end(out, packet_begin(out, REQUEST_MAJOR, REQUEST_SSL)); }

void startup_encode_cancel(Buf *out, uint32_t pid, Str key) {
    size_t begun = packet_begin(out, REQUEST_MAJOR, REQUEST_CANCEL);

    buf_put_u32(out, pid);
    buf_append_str(out, key);
    packet_end(out, begun);
}
