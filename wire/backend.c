/* A server's messages: what the proxy reads of them, and its own answers in their form. */
#include "wire/backend.h"

#include "wire/reader.h"

#define OID_TEXT 25u

static bool malformed(Error *err, const char *what) {
    return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid %s message from the server", what);
}

bool backend_authentication(Str payload, uint32_t *code, Error *err) {
    return reader_take_u32(&payload, code) || malformed(err, "Authentication");
}

bool backend_sasl_offers(Str payload, const char *mechanism) {
    uint32_t code;
    Str offered;

    if (!reader_take_u32(&payload, &code) || code != AUTH_SASL)
        return false;
    while (reader_take_cstr(&payload, &offered) && offered.len > 0)
        if (str_is(offered, mechanism))
            return true;
    return false;
}

void backend_put_sasl_without(Buf *out, Str payload, const char *mechanism) {
    uint32_t code;
    Str offered;
    size_t begun = frame_begin(out, BE_AUTHENTICATION);

    if (!reader_take_u32(&payload, &code))
        code = AUTH_SASL;
    buf_put_u32(out, code);
    while (reader_take_cstr(&payload, &offered) && offered.len > 0)
        if (!str_is(offered, mechanism)) {
            buf_append_str(out, offered);
            buf_put_u8(out, 0);
        }
    buf_put_u8(out, 0);
    frame_end(out, begun);
}

uint32_t backend_pid(Str payload) {
    uint32_t pid;

    return reader_take_u32(&payload, &pid) ? pid : 0;
}

bool backend_parameter_status(Str payload, Str *name, Str *value, Error *err) {
    if (!reader_take_cstr(&payload, name) || !reader_take_cstr(&payload, value) || payload.len != 0)
        return malformed(err, "ParameterStatus");
    return true;
}

bool backend_ready(Str payload, char *status, Error *err) {
    if (payload.len != 1 || (payload.ptr[0] != 'I' && payload.ptr[0] != 'T' && payload.ptr[0] != 'E'))
        return malformed(err, "ReadyForQuery");
    *status = payload.ptr[0];
    return true;
}

bool backend_command_tag(Str payload, Str *tag, Error *err) {
    if (!reader_take_cstr(&payload, tag) || payload.len != 0)
        return malformed(err, "CommandComplete");
    return true;
}

bool backend_parameter_description(Str payload, const uint8_t **types, int *ntypes, Error *err) {
    uint16_t n;
    Str oids;

    if (!reader_take_u16(&payload, &n) || !reader_take_bytes(&payload, n * sizeof(uint32_t), &oids))
        return malformed(err, "ParameterDescription");
    *types = (const uint8_t *)oids.ptr;
    *ntypes = n;
    return true;
}

void backend_put_parameter_description(Buf *out, const uint8_t *types, int ntypes) {
    size_t begun = frame_begin(out, BE_PARAMETER_DESCRIPTION);

    buf_put_u16(out, (uint16_t)ntypes);
    buf_append(out, types, (size_t)ntypes * sizeof(uint32_t));
    frame_end(out, begun);
}

bool backend_columns(Str payload, Str *values, int n, Error *err) {
    uint16_t count;
    uint32_t length;

    if (!reader_take_u16(&payload, &count) || (int)count < n)
        return malformed(err, "DataRow");
    for (int i = 0; i < n; i++) {
        values[i] = STR_NONE;
        if (!reader_take_u32(&payload, &length) ||
            (length != UINT32_MAX && !reader_take_bytes(&payload, length, &values[i])))
            return malformed(err, "DataRow");
    }
    return true;
}

bool backend_first_column(Str payload, Str *value, Error *err) {
    return backend_columns(payload, value, 1, err);
}

Str backend_error_field(Str payload, char field) {
    uint8_t code;
    Str value;

    while (reader_take_u8(&payload, &code) && code != 0 && reader_take_cstr(&payload, &value))
        if (code == (uint8_t)field)
            return value;
    return STR_NONE;
}

void backend_put_with_position(Buf *out, char type, Str payload, uint32_t position) {
    Str old = backend_error_field(payload, 'P');
    size_t begun = frame_begin(out, type);

    if (old.ptr && position == 0) {
        size_t before = (size_t)(old.ptr - payload.ptr) - 1; /* with the field's code */
        size_t behind = before + 1 + old.len + 1;            /* and its end */

        buf_append(out, payload.ptr, before);
        buf_append(out, payload.ptr + behind, payload.len - behind);
    } else if (old.ptr) {
        size_t before = (size_t)(old.ptr - payload.ptr);
        size_t behind = before + old.len;

        buf_append(out, payload.ptr, before);
        buf_printf(out, "%u", position);
        buf_append(out, payload.ptr + behind, payload.len - behind);
    } else {
        buf_append_str(out, payload);
    }
    frame_end(out, begun);
}

static void put_field(Buf *out, char field, const char *text) {
    buf_put_u8(out, (uint8_t)field);
    buf_put_cstr(out, text);
}

static void put_report(Buf *out, char type, const char *severity, const Error *err) {
    size_t begun = frame_begin(out, type);

    put_field(out, 'S', severity);
    put_field(out, 'V', severity);
    put_field(out, 'C', err->sqlstate);
    put_field(out, 'M', err->message);
    if (err->detail[0])
        put_field(out, 'D', err->detail);
    if (err->hint[0])
        put_field(out, 'H', err->hint);
    buf_put_u8(out, 0);
    frame_end(out, begun);
}

void backend_put_error(Buf *out, const char *severity, const Error *err) {
    put_report(out, BE_ERROR, severity, err);
}

void backend_put_notice(Buf *out, const char *severity, const Error *notice) {
    put_report(out, BE_NOTICE, severity, notice);
}

void backend_put_auth_ok(Buf *out) {
    size_t begun = frame_begin(out, BE_AUTHENTICATION);

    buf_put_u32(out, AUTH_OK);
    frame_end(out, begun);
}

void backend_put_parameter_status(Buf *out, const char *name, const char *value) {
    size_t begun = frame_begin(out, BE_PARAMETER_STATUS);

    buf_put_cstr(out, name);
    buf_put_cstr(out, value);
    frame_end(out, begun);
}

void backend_put_key_data(Buf *out, uint32_t pid, uint32_t key) {
    size_t begun = frame_begin(out, BE_KEY_DATA);

    buf_put_u32(out, pid);
    buf_put_u32(out, key);
    frame_end(out, begun);
}

void backend_put_ready(Buf *out, char status) {
    size_t begun = frame_begin(out, BE_READY);

    buf_put_u8(out, (uint8_t)status);
    frame_end(out, begun);
}

void backend_put_command_complete(Buf *out, const char *tag) {
    size_t begun = frame_begin(out, BE_COMMAND_COMPLETE);

    buf_put_cstr(out, tag);
    frame_end(out, begun);
}

void backend_put_empty_query(Buf *out) { backend_put_empty(out, BE_EMPTY_QUERY); }

void backend_put_row_description(Buf *out, const char *const *names, int n) {
    size_t begun = frame_begin(out, BE_ROW_DESCRIPTION);

    buf_put_u16(out, (uint16_t)n);
    for (int i = 0; i < n; i++) {
        buf_put_cstr(out, names[i]);
        buf_put_u32(out, 0); /* no table */
        buf_put_u16(out, 0); /* nor a column of one */
        buf_put_u32(out, OID_TEXT);
        buf_put_u16(out, UINT16_MAX); /* typlen -1: of varying length */
        buf_put_u32(out, UINT32_MAX); /* typmod -1: none */
        buf_put_u16(out, 0);          /* text format */
    }
    frame_end(out, begun);
}

void backend_put_data_row(Buf *out, const char *const *values, int n) {
    size_t begun = frame_begin(out, BE_DATA_ROW);

    buf_put_u16(out, (uint16_t)n);
    for (int i = 0; i < n; i++) {
        size_t len = values[i] ? strlen(values[i]) : 0;

        buf_put_u32(out, values[i] ? (uint32_t)len : UINT32_MAX); /* -1 is NULL */
        buf_append(out, values[i], len);
    }
    frame_end(out, begun);
}

void backend_put_empty(Buf *out, char type) { frame_end(out, frame_begin(out, type)); }
