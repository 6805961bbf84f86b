/* A client's messages: payload layouts as the server reads them (src/backend/tcop/postgres.c), refusals
 * worded as it words them (src/backend/libpq/pqformat.c). */
#include "wire/frontend.h"

#include "wire/reader.h"

static bool no_string(Error *err) {
    return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid string in message");
}

static bool too_short(Error *err) {
    return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "insufficient data left in message");
}

static bool at_end(Str rest, Error *err) {
    return rest.len == 0 || error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid message format");
}

bool frontend_query(Str payload, Str *query, Error *err) {
    if (!reader_take_cstr(&payload, query))
        return no_string(err);
    return at_end(payload, err);
}

bool frontend_parse(Str payload, ParseMessage *msg, Error *err) {
    uint16_t nparams;
    Str params;

    if (!reader_take_cstr(&payload, &msg->name) || !reader_take_cstr(&payload, &msg->query))
        return no_string(err);
    if (!reader_take_u16(&payload, &nparams) ||
        !reader_take_bytes(&payload, nparams * sizeof(uint32_t), &params))
        return too_short(err);
    msg->nparams = nparams;
    msg->params = (const uint8_t *)params.ptr;
    return at_end(payload, err);
}

WireStatus frontend_bind_names(Str payload, Str *portal, Str *statement) {
    return reader_take_cstr(&payload, portal) && reader_take_cstr(&payload, statement) ? WIRE_OK
                                                                                       : WIRE_INCOMPLETE;
}

bool frontend_named(Str payload, NamedMessage *msg, Error *err) {
    uint8_t kind;

    if (!reader_take_u8(&payload, &kind))
        return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "no data left in message");
    if (!reader_take_cstr(&payload, &msg->name))
        return no_string(err);
    msg->kind = (char)kind;
    if (!at_end(payload, err))
        return false;
    if (kind != 'S' && kind != 'P')
        return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid DESCRIBE or CLOSE message subtype %d",
                         kind);
    return true;
}

bool frontend_execute(Str payload, ExecuteMessage *msg, Error *err) {
    if (!reader_take_cstr(&payload, &msg->portal))
        return no_string(err);
    if (!reader_take_u32(&payload, &msg->max_rows))
        return too_short(err);
    return at_end(payload, err);
}

static void put_str(Buf *out, Str s) {
    buf_append_str(out, s);
    buf_put_u8(out, 0);
}

void frontend_put_query(Buf *out, Str query) {
    size_t begun = frame_begin(out, FE_QUERY);

    put_str(out, query);
    frame_end(out, begun);
}

void frontend_put_parse(Buf *out, Str name, Str query, const uint8_t *params, int nparams) {
    size_t begun = frame_begin(out, FE_PARSE);

    put_str(out, name);
    put_str(out, query);
    buf_put_u16(out, (uint16_t)nparams);
    buf_append(out, params, (size_t)nparams * sizeof(uint32_t));
    frame_end(out, begun);
}

static void put_named(Buf *out, char type, char kind, Str name) {
    size_t begun = frame_begin(out, type);

    buf_put_u8(out, (uint8_t)kind);
    put_str(out, name);
    frame_end(out, begun);
}

void frontend_put_describe(Buf *out, char kind, Str name) { put_named(out, FE_DESCRIBE, kind, name); }

void frontend_put_execute(Buf *out, Str portal) {
    size_t begun = frame_begin(out, FE_EXECUTE);

    put_str(out, portal);
    buf_put_u32(out, 0);
    frame_end(out, begun);
}

void frontend_put_close(Buf *out, char kind, Str name) { put_named(out, FE_CLOSE, kind, name); }

static void put_empty(Buf *out, char type) { frame_end(out, frame_begin(out, type)); }

void frontend_put_flush(Buf *out) { put_empty(out, FE_FLUSH); }

void frontend_put_sync(Buf *out) { put_empty(out, FE_SYNC); }

void frontend_put_terminate(Buf *out) { put_empty(out, FE_TERMINATE); }
