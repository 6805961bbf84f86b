/* What is checked is what is read: lengths against what is left, before they are used. */
#include "wire/bind.h"

#include "wire/frame.h"
#include "wire/frontend.h"
#include "wire/reader.h"

#define NULL_LENGTH UINT32_MAX

static bool too_short(Error *err) {
    return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "insufficient data left in message");
}

static bool skip_params(Str *rest, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t length;
        Str bytes;

        if (!reader_take_u32(rest, &length))
            return false;
        if (length != NULL_LENGTH && !reader_take_bytes(rest, length, &bytes))
            return false;
    }
    return true;
}

bool bind_decode(Str payload, BindMessage *msg, Error *err) {
    uint16_t nformats, nparams, nresults;
    Str rest, codes;

    if (!reader_take_cstr(&payload, &msg->portal) || !reader_take_cstr(&payload, &msg->statement))
        return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid string in message");
    if (!reader_take_u16(&payload, &nformats) ||
        !reader_take_bytes(&payload, nformats * sizeof(uint16_t), &msg->formats) ||
        !reader_take_u16(&payload, &nparams))
        return too_short(err);
    if (nformats > 1 && nformats != nparams)
        return error_set(err, SQLSTATE_PROTOCOL_VIOLATION,
                         "bind message has %d parameter formats but %d parameters", nformats, nparams);
    rest = payload;
    if (!skip_params(&rest, nparams))
        return too_short(err);
    msg->nformats = nformats;
    msg->nparams = nparams;
    msg->params = (Str){payload.ptr, payload.len - rest.len};
    msg->results = rest;
    if (!reader_take_u16(&rest, &nresults) || !reader_take_bytes(&rest, nresults * sizeof(uint16_t), &codes))
        return too_short(err);
    return rest.len == 0 || error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "invalid message format");
}

/* One code stands for all parameters, none for text. */
static uint16_t format_of(const BindMessage *msg, int i) {
    size_t at = msg->nformats == 1 ? 0 : (size_t)i * 2;

    if (msg->nformats == 0)
        return 0;
    return (uint16_t)((uint8_t)msg->formats.ptr[at] << 8 | (uint8_t)msg->formats.ptr[at + 1]);
}

const BindParam *bind_params(const BindMessage *msg, Arena *arena) {
    BindParam *params = ARENA_ARRAY(arena, BindParam, msg->nparams);
    Str rest = msg->params;

    for (int i = 0; i < msg->nparams; i++) {
        uint32_t length;

        params[i].binary = format_of(msg, i) == 1;
        if (!reader_take_u32(&rest, &length) || length == NULL_LENGTH)
            continue;
        if (!reader_take_bytes(&rest, length, &params[i].bytes))
            break;
    }
    return params;
}

static void put_value(Buf *out, Str value) {
    buf_put_u32(out, value.ptr ? (uint32_t)value.len : NULL_LENGTH);
    buf_append_str(out, value);
}

static void put_str(Buf *out, Str s) {
    buf_append_str(out, s);
    buf_put_u8(out, 0);
}

void bind_put_extended(Buf *out, const BindMessage *msg, const Str *values, int nvalues) {
    size_t begun = frame_begin(out, FE_BIND);
    bool all_text = msg->nformats == 0;

    put_str(out, msg->portal);
    put_str(out, msg->statement);
    buf_put_u16(out, (uint16_t)(all_text ? 0 : msg->nparams + nvalues));
    for (int i = 0; !all_text && i < msg->nparams + nvalues; i++)
        buf_put_u16(out, i < msg->nparams ? format_of(msg, i) : 0);
    buf_put_u16(out, (uint16_t)(msg->nparams + nvalues));
    buf_append_str(out, msg->params);
    for (int i = 0; i < nvalues; i++)
        put_value(out, values ? values[i] : STR_NONE);
    buf_append_str(out, msg->results);
    frame_end(out, begun);
}

void bind_put(Buf *out, Str portal, Str statement, const BindParam *params, int nparams) {
    size_t begun = frame_begin(out, FE_BIND);

    put_str(out, portal);
    put_str(out, statement);
    buf_put_u16(out, (uint16_t)nparams);
    for (int i = 0; i < nparams; i++)
        buf_put_u16(out, params[i].binary);
    buf_put_u16(out, (uint16_t)nparams);
    for (int i = 0; i < nparams; i++)
        put_value(out, params[i].bytes);
    buf_put_u16(out, 0);
    frame_end(out, begun);
}
