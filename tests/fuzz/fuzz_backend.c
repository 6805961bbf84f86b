/* Fuzzes what a server sends. What is accepted and can be encoded must encode to the bytes that it came from,
 * and a report with another position must be the same report but for that. */
#include <stdlib.h>

#include "base/mem.h"
#include "wire/backend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void check_parameter_status(Buf *encoded, Str payload) {
    Str name, value;
    Error err;

    if (backend_parameter_status(payload, &name, &value, &err))
        backend_put_parameter_status(encoded, name.ptr, value.ptr);
}

static void check_command_tag(Buf *encoded, Str payload) {
    Str tag;
    Error err;

    if (backend_command_tag(payload, &tag, &err))
        backend_put_command_complete(encoded, tag.ptr);
}

static void check_ready(Buf *encoded, Str payload) {
    char status;
    Error err;

    if (backend_ready(payload, &status, &err))
        backend_put_ready(encoded, status);
}

static void check_authentication(Buf *encoded, Str payload) {
    uint32_t code;
    Error err;

    if (!backend_authentication(payload, &code, &err))
        require(payload.len < 4);
    else if (code == AUTH_OK && payload.len == 4)
        backend_put_auth_ok(encoded);
    require(!backend_sasl_offers(payload, ""));
    if (backend_sasl_offers(payload, "SCRAM-SHA-256"))
        require(code == AUTH_SASL);
}

static void check_report(Buf *encoded, Str payload) {
    static const char fields[] = "SVCMDHPpqWstcdnFLR";
    Str position = backend_error_field(payload, 'P');
    Buf moved = {0};
    Str moved_payload;

    require(!backend_error_field(payload, '\0').ptr);
    backend_put_with_position(&moved, BE_ERROR, payload, 4294967295u);
    moved_payload = (Str){(char *)buf_ptr(&moved) + FRAME_HEADER_BYTES, buf_len(&moved) - FRAME_HEADER_BYTES};
    for (size_t i = 0; i < sizeof(fields) - 1; i++) {
        Str before = backend_error_field(payload, fields[i]);
        Str after = backend_error_field(moved_payload, fields[i]);

        require(!before.ptr == !after.ptr);
        if (fields[i] == 'P' && before.ptr)
            require(str_is(after, "4294967295"));
        else
            require(str_eq(before, after));
    }
    if (!position.ptr)
        buf_append(encoded, buf_ptr(&moved), buf_len(&moved));
    buf_free(&moved);
}

static const struct {
    char type;
    void (*check)(Buf *encoded, Str payload); /* appends the message again where it can */
} checks[] = {
    {BE_PARAMETER_STATUS, check_parameter_status},
    {BE_COMMAND_COMPLETE, check_command_tag},
    {BE_READY, check_ready},
    {BE_AUTHENTICATION, check_authentication},
    {BE_ERROR, check_report},
};

/* Returns the size of the message at the front, 0 for none. */
static size_t check_message(const uint8_t *data, size_t size) {
    Buf encoded = {0};
    Frame frame;
    Error err;
    size_t whole;
    char *payload;

    if (frame_decode_backend(data, size, &frame, &err) != WIRE_OK)
        return 0;
    whole = FRAME_HEADER_BYTES + (size_t)frame.length;
    if (whole > size)
        return 0;
    /* In a block of exactly its size, so that a read behind it is seen. */
    payload = mem_alloc(frame.length);
    memcpy(payload, data + FRAME_HEADER_BYTES, frame.length);
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (checks[i].type == frame.type)
            checks[i].check(&encoded, (Str){payload, frame.length});
    if (buf_len(&encoded) > 0)
        require(buf_len(&encoded) == whole && memcmp(buf_ptr(&encoded), data, whole) == 0);
    buf_free(&encoded);
    free(payload);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t at = 0, n;

    do {
        n = check_message(data + at, size - at);
        at += n;
    } while (n > 0);
    return 0;
}
